//! Sum-of-Gamma noise against the sum that defines it, and against distributions in closed form.

use imle_runtime::{Address, Gumbel, Noise, SumOfGamma};
use rand_distr::{Distribution, Gamma};

fn address(row: u64) -> Address {
    Address {
        seed: 29,
        call: 0,
        row,
        sample: 0,
    }
}

fn draws(noise: &SumOfGamma, count: usize) -> Vec<f64> {
    let mut eps = vec![0.0; count];
    noise
        .fill(&address(0), &mut eps)
        .expect("the noise is valid");
    eps
}

/// Eq. 13 of the paper, term by term.
fn direct_draws(noise: &SumOfGamma, count: usize) -> Vec<f64> {
    let SumOfGamma { kappa, terms } = *noise;
    let unit = Gamma::new(1.0 / kappa, 1.0).expect("the shape is positive");
    let mut generator = address(1).generator();
    let mut draw = || {
        let terms = 1..=terms.expect("a limit has no terms");
        let scaled = |i| kappa / f64::from(i) * unit.sample(&mut generator);
        noise.assemble(terms.map(scaled).sum())
    };
    (0..count).map(|_| draw()).collect()
}

/// The largest difference between the shares of two samples of equal size below any value.
fn distance(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let below = |value: f64| b.partition_point(|&other| other <= value);
    let differences = a.iter().enumerate().filter_map(|(at, &value)| {
        // Of equal values, which rounding makes near the lower end, the last counts.
        let is_last = a.get(at + 1) != Some(&value);
        is_last.then(|| (at + 1).abs_diff(below(value)))
    });
    differences.max().unwrap_or_default() as f64 / a.len() as f64
}

/// Two correct samples of size n are further apart than `2.2 sqrt(2 / n)` once in 10^4 times.
#[test]
fn draws_are_distributed_as_the_sum_of_their_terms() {
    let count = 100_000;
    for kappa in [0.3, 1.0, 1.5, 5.0, 39.0, 1000.0] {
        for terms in [1, 2, 3, 10] {
            let noise = SumOfGamma {
                kappa,
                terms: Some(terms),
            };
            let distance = distance(draws(&noise, count), direct_draws(&noise, count));
            let bound = 2.2 * (2.0 / count as f64).sqrt();
            assert!(distance < bound, "{distance} for {noise:?}");
        }
    }
}

/// With kappa = 1 the sum of s terms is the largest of s exponential variables.
#[test]
fn with_kappa_1_a_share_below_is_a_power_of_the_exponential_one() {
    for terms in [1, 2, 3, 10, 16, 17, 100, 100_000] {
        let noise = SumOfGamma {
            kappa: 1.0,
            terms: Some(terms),
        };
        let count = f64::from(terms);
        for u in [1e-12_f64, 1e-7, 1e-3, 0.5, 1.0 - 1e-3, 1.0 - 1e-7] {
            let ln_share = u.ln() / count;
            let largest = if ln_share < -1.0 {
                -(-ln_share.exp()).ln_1p()
            } else {
                -(-ln_share.exp_m1()).ln()
            };
            let sum = noise.quantile(u).unwrap() + count.ln();
            assert!((sum / largest - 1.0).abs() < 2e-6, "{sum} for {largest}");
        }
    }
}

#[test]
fn the_limit_with_kappa_1_is_gumbel() {
    let noise = SumOfGamma {
        kappa: 1.0,
        terms: None,
    };
    for at in 1..1000 {
        let u = f64::from(at) / 1000.0;
        assert!((noise.quantile(u).unwrap() - Gumbel::quantile(u)).abs() < 1e-6);
    }
}

/// What is missing behind s terms has mean about `1 / (2 s kappa)` and variance about `1 / (s kappa)`: the share
/// below a value moves by a millionth or so when s is a million.
#[test]
fn many_terms_tend_to_the_limit() {
    for kappa in [1.5, 5.0, 39.0, 1000.0] {
        let quantile = |terms, u| SumOfGamma { kappa, terms }.quantile(u).unwrap();
        for u in [1e-7, 1e-3, 0.5, 1.0 - 1e-3, 1.0 - 1e-7] {
            let (limit, sum) = (quantile(None, u), quantile(Some(1_000_000), u));
            assert!((sum / limit - 1.0).abs() < 1e-2, "{sum} for {limit}");
        }
    }
}

/// Near the lower end `P(sum < y) = (s!)^(1 / kappa) (y / kappa)^p / Gamma(1 + p)` with `p = s / kappa`.
#[test]
fn most_draws_of_a_large_kappa_are_at_the_lower_bound() {
    let noise = SumOfGamma {
        kappa: 1000.0,
        terms: Some(2),
    };
    let count = 10_000;
    let draws = draws(&noise, count);
    assert!(draws.iter().all(|&draw| draw >= noise.lower_bound()));
    let at_bound = draws
        .iter()
        .filter(|&&draw| draw == noise.lower_bound())
        .count();
    // Half a unit in the last place of ln 2; Gamma(1 + p) is exp(-0.577 p) for small p.
    let (power, y) = (2e-3, f64::EPSILON / 4.0 / 1000.0);
    let share = (2f64.ln() / 1000.0 + power * (y.ln() + 0.5772)).exp();
    let error = 5.0 * (share * (1.0 - share) / count as f64).sqrt();
    assert!((at_bound as f64 / count as f64 - share).abs() < error);
}
