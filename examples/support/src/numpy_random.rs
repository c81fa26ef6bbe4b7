//! NumPy's legacy random stream.

use rand_mt::Mt;

/// The stream of `numpy.random.RandomState(seed)`, bit for bit.
///
/// NumPy froze this stream in 2019, so whatever is drawn from it can be drawn again anywhere. Only the
/// draws that the benchmarks of the field use are here.
///
/// ```
/// let mut random = imle_example_support::RandomState::new(42);
/// assert_eq!(random.uniform(0.0, 1.0), 0.3745401188473625);
/// ```
#[derive(Clone, Debug)]
pub struct RandomState {
    generator: Mt,
    /// Normal draws come in pairs; this is the one that was not asked for yet.
    spare_normal: Option<f64>,
}

impl RandomState {
    /// Starts the stream of `seed`.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        Self {
            generator: Mt::new(seed),
            spare_normal: None,
        }
    }

    /// Draws uniformly from `low` (included) to `high` (excluded).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Draws from the normal distribution of that mean and standard deviation.
    pub fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        mean + deviation * self.standard_normal()
    }

    /// Draws 0 or 1, each half of the time: NumPy's `binomial(1, 0.5)`.
    pub fn coin(&mut self) -> f64 {
        // For one throw with p = 1/2, NumPy's search of the cumulative distribution is one comparison.
        f64::from(self.unit() > 0.5)
    }

    /// Draws a whole number from `low` (included) to `high` (excluded): NumPy's `randint`, and its `choice`
    /// among that range.
    ///
    /// # Panics
    ///
    /// If there are fewer than two numbers to choose from.
    pub fn integer(&mut self, low: u32, high: u32) -> u32 {
        assert!(low + 1 < high, "{low} to {high} is no choice");
        low + self.at_most(high - 1 - low)
    }

    /// Draws `n` [`coin`](Self::coin)s.
    pub fn coins(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.coin()).collect()
    }

    /// Draws `n` numbers from the standard normal distribution.
    pub fn normals(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.standard_normal()).collect()
    }

    /// Draws `n` numbers as [`uniform`](Self::uniform) does.
    pub fn uniforms(&mut self, n: usize, low: f64, high: f64) -> Vec<f64> {
        (0..n).map(|_| self.uniform(low, high)).collect()
    }

    /// Returns the numbers from 0 to `n - 1` in random order.
    ///
    /// # Panics
    ///
    /// If `n` is more than 2^32, where NumPy draws wider numbers.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            let max = u32::try_from(last).expect("at most 2^32 numbers are permuted");
            order.swap(last, self.at_most(max) as usize);
        }
        order
    }

    /// Draws from `[0, 1)` with 53 random bits.
    fn unit(&mut self) -> f64 {
        let high = f64::from(self.generator.next_u32() >> 5);
        let low = f64::from(self.generator.next_u32() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0 // (high * 2^26 + low) / 2^53
    }

    /// Draws from the standard normal distribution by Marsaglia's polar method.
    fn standard_normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        let (a, b, square) = loop {
            let a = 2.0 * self.unit() - 1.0;
            let b = 2.0 * self.unit() - 1.0;
            let square = a * a + b * b;
            if square < 1.0 && square != 0.0 {
                break (a, b, square);
            }
        };
        let scale = (-2.0 * square.ln() / square).sqrt();
        self.spare_normal = Some(scale * a);
        scale * b
    }

    /// Draws a whole number from 0 to `max`, both included; `max` is not 0.
    fn at_most(&mut self, max: u32) -> u32 {
        // The smallest mask that covers max; draws above max are thrown away, so that no number is favoured.
        let mask = u32::MAX >> max.leading_zeros();
        loop {
            let value = self.generator.next_u32() & mask;
            if value <= max {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! The expected numbers were printed by NumPy 2.4.6.

    use super::*;

    fn draws<T>(n: usize, draw: impl FnMut() -> T) -> Vec<T> {
        std::iter::repeat_with(draw).take(n).collect()
    }

    #[test]
    fn one_stream_of_every_kind_of_draw_is_numpys() {
        let mut random = RandomState::new(42);
        let uniform = [
            0.49816047538944996,
            2.8028572256396647,
            1.9279757672456204,
            1.3946339367881464,
        ];
        assert_eq!(draws(4, || random.uniform(-1.0, 3.0)), uniform);
        let normal = [
            0.5316932505533281,
            0.5317260861016389,
            4.158425631014783,
            2.534869458305818,
            0.06105122813009578,
        ];
        assert_eq!(draws(5, || random.normal(1.0, 2.0)), normal);
        let coins = "00010010000101101001";
        assert_eq!(draws(20, || random.coin().to_string()).concat(), coins);
        let order = [0, 5, 2, 6, 3, 7, 4, 10, 8, 9, 1, 11];
        assert_eq!(random.permutation(12), order);
        // Five normal draws left half a pair: it survives the draws in between.
        assert_eq!(random.normal(0.0, 1.0), 0.5425600435859647);
        assert_eq!(random.uniform(0.0, 1.0), 0.12203823484477883);
    }

    #[test]
    fn whole_numbers_are_numpys() {
        let mut random = RandomState::new(42);
        let numbers = [402, 735, 648, 570, 406, 371];
        assert_eq!(draws(6, || random.integer(300, 800)), numbers);
        assert_eq!(draws(8, || random.integer(0, 3)), [0, 0, 2, 1, 2, 2, 2, 2]);
        // What comes after them shows that no more of the stream was used.
        let normal = random.normals(2);
        assert!((normal[0] - 0.27904129).abs() < 1e-8, "{normal:?}");
        let uniform = random.uniform(-1.0, 1.0);
        assert!((uniform - 0.41614516).abs() < 1e-8, "{uniform}");
    }

    #[test]
    fn short_permutations_draw_nothing() {
        let mut random = RandomState::new(7);
        assert!(random.permutation(0).is_empty());
        assert_eq!(random.permutation(1), [0]);
        let mut fresh = RandomState::new(7);
        assert_eq!(random.uniform(0.0, 1.0), fresh.uniform(0.0, 1.0));
    }
}
