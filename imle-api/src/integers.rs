//! Theta as integers, for solvers that compute without rounding.

/// Writes `theta`, scaled by a power of two and rounded, as integers of at most `2^bits` in magnitude.
///
/// For solvers whose algorithm adds and subtracts many times: in integers a comparison never errs, ties are
/// ties, and a proof by duality is a proof. One factor for a whole row does not change which state is
/// best, so a maximiser over the integers maximises some theta' with
/// `|theta'_i - theta_i| <= 2^-bits max_j |theta_j|`. With 52 bits that is the precision of `f64` sums of
/// these numbers; numbers smaller than that beside the largest count as zero. A row times a power of two
/// gives the same integers, `-theta` gives their negatives, and equal numbers give equal integers.
///
/// ```
/// let mut integers = Vec::new();
/// imle_api::to_integers(&[0.5, -0.25, 0.0, 1e-30], 10, &mut integers);
/// assert_eq!(integers, [512, -256, 0, 0]);
/// ```
///
/// # Panics
///
/// If `bits` is not between 1 and 62.
pub fn to_integers(theta: &[f64], bits: u32, integers: &mut Vec<i64>) {
    assert!((1..=62).contains(&bits), "bits = {bits} is not in 1..=62");
    let largest = theta.iter().fold(0.0_f64, |most, t| most.max(t.abs()));
    // 2^exponent <= largest < 2^(exponent + 1), but for subnormal numbers, which lose nothing either way.
    let exponent = ((largest.to_bits() >> 52) as i32).max(1) - 1023;
    let shift = bits as i32 - 1 - exponent;
    // In two steps, because the factor itself may be beyond the largest number.
    let (first, second) = (power_of_two(shift / 2), power_of_two(shift - shift / 2));
    integers.clear();
    integers.extend(theta.iter().map(|t| (t * first * second).round() as i64));
}

fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::to_integers;

    fn integers(theta: &[f64], bits: u32) -> Vec<i64> {
        let mut integers = vec![7; 3];
        to_integers(theta, bits, &mut integers);
        integers
    }

    #[test]
    fn the_error_is_at_most_a_part_in_two_to_the_bits() {
        let mut random = fastrand::Rng::with_seed(1);
        for bits in [1, 2, 20, 52, 62] {
            for exponent in [-1060, -1021, -300, 0, 1, 300, 1022] {
                let size = 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2);
                let theta: Vec<f64> = (0..20).map(|_| (random.f64() * 2.0 - 1.0) * size).collect();
                let integers = integers(&theta, bits);
                let largest = (0..20).max_by(|&a, &b| theta[a].abs().total_cmp(&theta[b].abs()));
                let largest = largest.expect("there are twenty");
                assert!(integers.iter().all(|i| i.abs() <= 1 << bits));
                // Compared as fractions of the largest, whose own rounding counts twice.
                for (theta_i, i) in theta.iter().zip(&integers) {
                    let wanted = theta_i / theta[largest];
                    let found = *i as f64 / integers[largest] as f64;
                    let allowed = 4.0 * 0.5_f64.powi(bits.min(51) as i32);
                    assert!(
                        (wanted - found).abs() <= allowed || size < 1e-300,
                        "{wanted} {found}"
                    );
                }
            }
        }
    }

    #[test]
    fn powers_of_two_signs_and_zeros_change_nothing() {
        let theta = [0.3, -1.7, 0.0, -0.0, 1e-9, 1.7];
        let expected = integers(&theta, 52);
        for factor in [2_f64.powi(-900), 0.25, 2_f64.powi(1000)] {
            assert_eq!(integers(&theta.map(|t| t * factor), 52), expected);
        }
        let negated: Vec<i64> = expected.iter().map(|i| -i).collect();
        assert_eq!(integers(&theta.map(|t| -t), 52), negated);
        assert_eq!(
            (expected[2], expected[3], expected[1]),
            (0, 0, -expected[5])
        );
        assert_eq!(integers(&[0.0, -0.0], 52), [0, 0]);
        assert_eq!(integers(&[f64::MAX, -f64::MAX], 62).len(), 2);
    }

    #[test]
    fn what_fits_is_exact() {
        assert_eq!(integers(&[3.0, -5.0, 7.0, 0.5], 3), [3, -5, 7, 1]);
        assert_eq!(integers(&[3.0, -5.0, 7.0, 0.5], 4), [6, -10, 14, 1]);
        assert_eq!(
            integers(&[f64::from_bits(1), f64::from_bits(3)], 52).len(),
            2
        );
    }
}
