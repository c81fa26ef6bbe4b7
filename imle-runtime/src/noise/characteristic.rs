//! Distribution functions of Sum-of-Gamma noise, from its Laplace transform.
//!
//! With `g_i ~ Gamma(shape 1 / kappa, scale 1)` let `Y = sum over i = 1..s of g_i / i`: the noise of Eq. 13
//! is `Y - ln(s) / kappa`. Then
//!
//! ```text
//! E exp(-z Y) = product over i = 1..s of (1 + z / i)^(-1 / kappa)
//! E exp(-z X) = Gamma(1 + z)^(1 / kappa)       for X, the limit of Y - ln(s) / kappa
//! P(Y < y)    = 1 / (2 pi i) * integral of exp(z y) E exp(-z Y) / z dz
//! ```
//!
//! The integral runs upwards, to the right of 0; to the left of 0 and right of -1 it is `-P(Y > y)`. The
//! integrand is analytic off the negative axis, so any path around it will do. Ours is a parabola through
//! the saddle point, where the integrand is of the size of the answer: both tails keep their relative
//! accuracy, however small. The trapezoidal rule converges geometrically there (Trefethen and Weideman, The
//! exponentially convergent trapezoidal rule, SIAM Review 56, 2014).

use std::f64::consts::PI;

use num_complex::Complex64;

use super::quantile_table::{Side, Tail};

/// So many factors are multiplied out; Stirling's series stands for the others.
const FACTORS: u32 = 16;

/// Some 30 nodes do; the path of a kappa of a million and more has a long way to go.
const MOST_NODES: u32 = 100_000;

/// Upper tails below this are integrated for themselves; others are 1 minus the lower one.
const SMALL_TAIL: f64 = 1e-6;

/// Below this kappa the distribution is close to a normal one.
const NEARLY_NORMAL: f64 = 0.25;

/// `Y`, or `X` when `terms` is `None`.
#[derive(Clone, Copy, Debug)]
pub(super) struct GammaSum {
    pub(super) kappa: f64,
    pub(super) terms: Option<u32>,
}

impl GammaSum {
    /// Returns the tail at `y`.
    pub(super) fn tail(&self, side: Side, y: f64) -> Tail {
        let integrate = |path: &Path, sign: f64| {
            let (ln_share, ln_density) = self.integrate(y, path);
            let slope = sign * (ln_density - ln_share).exp();
            Tail { ln_share, slope }
        };
        let upper_path = self.upper_path(y);
        if side == Side::Upper && self.ln_bound(y, &upper_path) < SMALL_TAIL.ln() {
            return integrate(&upper_path, -1.0);
        }
        let tail = Tail::from_lower(side, integrate(&self.lower_path(y), 1.0));
        if side == Side::Upper && tail.ln_share < SMALL_TAIL.ln() {
            return integrate(&upper_path, -1.0);
        }
        tail
    }

    /// Returns Chernoff's bound of the tail: cheap, and loose where kappa is large.
    fn ln_bound(&self, y: f64, path: &Path) -> f64 {
        path.start * y + self.ln_transform(path.start.into()).re
    }

    /// Returns the logarithms of the integral and of its derivative in `y`, both without their signs.
    fn integrate(&self, y: f64, path: &Path) -> (f64, f64) {
        let exponent = |z: Complex64| z * y + self.ln_transform(z);
        // The error is e^-28 of the peak, of which a large kappa leaves 1 / kappa to the upper tail.
        let step = path.width * 7.35 / (28.0 + self.kappa.max(1.0).ln());
        let peak = exponent(path.start.into()).re - path.start.abs().ln();
        // The middle of the path counts half: the other half mirrors this one.
        let mut share = 0.5 * path.start.signum();
        let mut density = 0.5 * path.start.abs();
        for node in 1..MOST_NODES {
            let t = step * f64::from(node);
            let z = Complex64::new(path.start - path.bend * t * t, t);
            let of_density = (exponent(z) - peak).exp() * Complex64::new(1.0, 2.0 * path.bend * t);
            let of_share = of_density / z;
            density += of_density.re;
            share += of_share.re;
            if of_density.l1_norm() < 1e-14 * density.abs()
                && of_share.l1_norm() < 1e-14 * share.abs()
            {
                break;
            }
        }
        let scale = peak + (step / PI).ln();
        (scale + share.abs().ln(), scale + density.abs().ln())
    }

    /// A path to the right of the pole at 0, through the saddle of `exp(z y) E exp(-z Y) / z`.
    fn lower_path(&self, y: f64) -> Path {
        let start = root(-70.0, 70.0, f64::exp, |z| self.slopes(z)[0] + y - 1.0 / z);
        let [_, second, third] = self.slopes(start);
        let second = second + start.powi(-2);
        let bend = if self.kappa < NEARLY_NORMAL {
            // The transform grows to the left, and decreases fast straight upwards.
            0.0
        } else {
            // Where the third order vanishes, so does the phase.
            -(third - 2.0 * start.powi(-3)) / (6.0 * second)
        };
        Path {
            start,
            width: second.powf(-0.5),
            bend,
        }
    }

    /// A path between the branch point at -1 and the pole at 0. The saddle is kept off the branch point, to
    /// which it comes close when kappa is large, as if the singularity there had one order more.
    fn upper_path(&self, y: f64) -> Path {
        let logistic = |t: f64| -1.0 / (1.0 + t.exp());
        let slope = |z: f64| self.slopes(z)[0] + y - 1.0 / z - 1.0 / (1.0 + z);
        let start = root(-40.0, 35.0, logistic, slope);
        let second = self.slopes(start)[1] + start.powi(-2) + (1.0 + start).powi(-2);
        Path {
            start,
            width: second.powf(-0.5),
            bend: 0.25 / (1.0 + start),
        }
    }

    /// Returns `ln E exp(-z Y)`; `z` in the upper half-plane or on the real axis above -1.
    fn ln_transform(&self, z: Complex64) -> Complex64 {
        let first = self.terms.unwrap_or(FACTORS).min(FACTORS);
        let rest = match self.terms {
            Some(terms) if terms <= FACTORS => 0.0.into(),
            Some(terms) => -ln_product_beyond(f64::from(terms), z),
            None => ln_gamma_beyond(z),
        };
        (rest - ln_product(first, z)) / self.kappa
    }

    /// Returns about three derivatives of `ln E exp(-z Y)` at a real `z`. They choose a path, and an integral
    /// does not depend on its path: the terms behind the first ones are integrated by the midpoint rule.
    fn slopes(&self, z: f64) -> [f64; 3] {
        let first = self.terms.unwrap_or(FACTORS).min(FACTORS);
        let mut slopes = [0.0; 3];
        for i in 1..=first {
            let inverse = 1.0 / (f64::from(i) + z);
            slopes[0] -= inverse;
            slopes[1] += inverse * inverse;
            slopes[2] -= 2.0 * inverse * inverse * inverse;
        }
        let mut tail = |end: f64, sign: f64| {
            slopes[0] += sign * (end + z).ln();
            slopes[1] += sign / (end + z);
            slopes[2] -= sign / ((end + z) * (end + z));
        };
        if self.terms.is_none_or(|terms| terms > FACTORS) {
            tail(f64::from(FACTORS) + 0.5, 1.0);
            if let Some(terms) = self.terms {
                tail(f64::from(terms) + 0.5, -1.0);
            }
        }
        slopes.map(|slope| slope / self.kappa)
    }
}

/// The upper half of a parabola: `start + i t - bend t^2` for positive `t`.
struct Path {
    start: f64,
    /// The width of the integrand at the saddle.
    width: f64,
    bend: f64,
}

/// Returns `map(t)` where `increasing(map(t))` changes its sign, to 1 % or so: enough to choose a path.
fn root(
    mut low: f64,
    mut high: f64,
    map: impl Fn(f64) -> f64,
    increasing: impl Fn(f64) -> f64,
) -> f64 {
    // `map` may be decreasing in t: the signs at the ends tell.
    let below = increasing(map(low)) < 0.0;
    for _ in 0..15 {
        let middle = 0.5 * (low + high);
        if (increasing(map(middle)) < 0.0) == below {
            low = middle;
        } else {
            high = middle;
        }
    }
    map(0.5 * (low + high))
}

/// Returns the sum over `i = 1..=factors` of `ln(1 + z / i)`: one logarithm, and a count of the turns.
fn ln_product(factors: u32, z: Complex64) -> Complex64 {
    // The scale keeps the product within the range of numbers.
    let scale = 1.0 / (1.0 + 0.25 * z.norm());
    let scaled = z * scale;
    let mut product = Complex64::new(1.0, 0.0);
    let mut turns = 0.0;
    for inverse in &INVERSE[..factors as usize] {
        let was_above = product.im >= 0.0;
        product *= scale + scaled * inverse;
        // Every factor turns by less than half a turn, upwards.
        if was_above && product.im < 0.0 {
            turns += 1.0;
        }
    }
    Complex64::new(
        0.5 * product.norm_sqr().ln() - f64::from(factors) * scale.ln(),
        product.arg() + 2.0 * PI * turns,
    )
}

/// `1 / i` for the first factors.
const INVERSE: [f64; FACTORS as usize] = {
    let mut inverse = [0.0; FACTORS as usize];
    let mut at = 0;
    while at < inverse.len() {
        inverse[at] = 1.0 / (at + 1) as f64;
        at += 1;
    }
    inverse
};

/// The first argument of the Gamma function that has no factor of its own.
const BEYOND: f64 = FACTORS as f64 + 1.0;

/// Returns `ln Gamma(17 + z) - ln Gamma(17)` by Stirling's series.
fn ln_gamma_beyond(z: Complex64) -> Complex64 {
    let end = BEYOND + z;
    (end - 0.5) * ln_1p(z / BEYOND) + z * (BEYOND.ln() - 1.0) + stirling(end)
        - stirling(BEYOND.into())
}

/// Returns the sum over `i = 17..=terms` of `ln(1 + z / i)`: two differences of `ln Gamma` by Stirling's series,
/// put so that no large numbers cancel, whether `z` or `terms` is the larger.
fn ln_product_beyond(terms: f64, z: Complex64) -> Complex64 {
    let (last, count) = (terms + 1.0, terms + 1.0 - BEYOND);
    let first = BEYOND + z;
    (first - 0.5) * ln_1p(count / first) - (BEYOND - 0.5) * (last / BEYOND).ln()
        + count * ln_1p(z / last)
        + stirling(last + z)
        - stirling(last.into())
        - stirling(first)
        + stirling(BEYOND.into())
}

/// The series behind `(z - 1/2) ln z - z + ln(2 pi) / 2` in `ln Gamma(z)`.
fn stirling(z: Complex64) -> Complex64 {
    let inverse = 1.0 / z;
    let square = inverse * inverse;
    let inner = -1.0 / 1680.0 + square * (1.0 / 1188.0 - square * (691.0 / 360_360.0));
    inverse * (1.0 / 12.0 + square * (-1.0 / 360.0 + square * (1.0 / 1260.0 + square * inner)))
}

fn ln_1p(z: Complex64) -> Complex64 {
    let ln_norm = 0.5 * (z.re * (2.0 + z.re) + z.im * z.im).ln_1p();
    Complex64::new(ln_norm, z.im.atan2(1.0 + z.re))
}
