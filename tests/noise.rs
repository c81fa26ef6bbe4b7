//! Distributions of the noise, against closed forms. Tolerances come from the number of draws.

use imle_runtime::{Address, Gumbel, Noise, Normal, SumOfGamma};

const DRAWS: usize = 200_000;

fn draws(noise: &dyn Noise) -> Vec<f64> {
    let mut all = vec![0.0; DRAWS];
    for (row, eps) in all.chunks_mut(1000).enumerate() {
        let address = Address {
            seed: 11,
            call: 2,
            row: row as u64,
            sample: 0,
        };
        noise.fill(&address, eps).expect("the noise is valid");
    }
    all
}

/// Mean and variance within 5 standard errors; that of the variance from the sample's own fourth moment.
fn assert_moments(draws: &[f64], mean: f64, variance: f64) {
    let n = draws.len() as f64;
    let moment = |power| {
        draws
            .iter()
            .map(|draw| (draw - mean).powi(power))
            .sum::<f64>()
            / n
    };
    let own_mean = draws.iter().sum::<f64>() / n;
    let mean_error = 5.0 * (variance / n).sqrt();
    assert!(
        (own_mean - mean).abs() < mean_error,
        "mean {own_mean} for {mean} +- {mean_error}"
    );
    let variance_error = 5.0 * ((moment(4) - moment(2).powi(2)) / n).sqrt();
    assert!(
        (moment(2) - variance).abs() < variance_error,
        "{} for {variance}",
        moment(2)
    );
}

/// Kolmogorov and Smirnov: a distance above 2.2 / sqrt(n) happens once in 10^4 to a correct sampler.
fn assert_distribution(mut draws: Vec<f64>, cdf: impl Fn(f64) -> f64) {
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let distance = |(at, draw): (usize, &f64)| {
        let share = cdf(*draw);
        (share - at as f64 / n)
            .abs()
            .max((share - (at + 1) as f64 / n).abs())
    };
    let largest = draws.iter().enumerate().map(distance).fold(0.0, f64::max);
    assert!(largest < 2.2 / n.sqrt(), "distance {largest}");
}

fn gumbel_cdf(x: f64) -> f64 {
    (-(-x).exp()).exp()
}

#[test]
fn gumbel_noise_is_gumbel() {
    let draws = draws(&Gumbel);
    assert_moments(
        &draws,
        0.577_215_664_901_532_9,
        std::f64::consts::PI.powi(2) / 6.0,
    );
    assert_distribution(draws, gumbel_cdf);
}

#[test]
fn normal_noise_has_the_moments_of_the_normal() {
    let draws = draws(&Normal);
    assert_moments(&draws, 0.0, 1.0);
    // The share within one and within two standard deviations.
    for (bound, share) in [(1.0, 0.682_689_492), (2.0, 0.954_499_736)] {
        let within = draws.iter().filter(|draw| draw.abs() < bound).count() as f64 / DRAWS as f64;
        assert!((within - share).abs() < 5.0 * (share * (1.0 - share) / DRAWS as f64).sqrt());
    }
}

/// Tells scale from rate: with the two swapped the variance is off by a factor of 2.5 at kappa = 5.
#[test]
fn sum_of_gamma_noise_has_its_closed_moments_for_every_number_of_terms() {
    for (kappa, terms) in [
        (1.0, 1),
        (1.0, 10),
        (2.5, 10),
        (5.0, 3),
        (5.0, 10),
        (39.0, 10),
    ] {
        let noise = SumOfGamma {
            kappa,
            terms: Some(terms),
        };
        let draws = draws(&noise);
        let squares: f64 = (1..=terms).map(|i| 1.0 / f64::from(i).powi(2)).sum();
        let harmonic: f64 = (1..=terms).map(|i| 1.0 / f64::from(i)).sum();
        assert_moments(
            &draws,
            (harmonic - f64::from(terms).ln()) / kappa,
            squares / kappa,
        );
        assert!(draws.iter().all(|&draw| draw >= noise.lower_bound()));
    }
}

#[test]
fn the_limit_has_its_closed_moments() {
    for kappa in [0.4, 1.0, 2.5, 5.0, 39.0] {
        let noise = SumOfGamma { kappa, terms: None };
        let mean = 0.577_215_664_901_532_9 / kappa;
        let variance = std::f64::consts::PI.powi(2) / 6.0 / kappa;
        assert_moments(&draws(&noise), mean, variance);
        assert_eq!((noise.mean(), noise.variance()), (mean, variance));
    }
}

/// Lemma 1.
#[test]
fn the_sum_of_kappa_draws_is_gumbel() {
    for kappa in [1, 2, 4, 39] {
        let noise = SumOfGamma {
            kappa: f64::from(kappa),
            terms: None,
        };
        let draws = draws(&noise);
        let sums = draws
            .chunks_exact(kappa as usize)
            .map(|draws| draws.iter().sum());
        assert_distribution(sums.collect(), gumbel_cdf);
    }
}

/// A draw depends on its address alone: not on how many are asked for.
#[test]
fn a_shorter_row_is_the_beginning_of_a_longer_one() {
    let limit = SumOfGamma {
        kappa: 5.0,
        terms: None,
    };
    let sum = SumOfGamma {
        kappa: 5.0,
        terms: Some(10),
    };
    let address = Address {
        seed: 4,
        call: 3,
        row: 2,
        sample: 1,
    };
    let noises: [&dyn Noise; 4] = [&Gumbel, &Normal, &limit, &sum];
    for noise in noises {
        let fill = |dim| {
            let mut eps = vec![0.0; dim];
            noise.fill(&address, &mut eps).unwrap();
            eps
        };
        let long = fill(1000);
        for dim in [1, 2, 31, 32, 33, 64, 999] {
            assert_eq!(fill(dim), long[..dim], "{noise:?}");
        }
    }
}

#[test]
fn noise_is_finite_at_every_kappa() {
    for kappa in [1e-5, 1e-3, 0.5, 1.0, 1e3, 1e6, 1e7] {
        for terms in [Some(1), Some(10), Some(u32::MAX), None] {
            let noise = SumOfGamma { kappa, terms };
            let address = Address {
                seed: 0,
                call: 0,
                row: 0,
                sample: 0,
            };
            let mut eps = [0.0; 1000];
            noise.fill(&address, &mut eps).unwrap();
            assert!(eps.iter().all(|eps| eps.is_finite()), "{noise:?}");
            // No row of draws is further out than this.
            for u in [0.0, 1e-19, 1.0 - 1e-16, 1.0] {
                assert!(noise.quantile(u).unwrap().is_finite(), "{noise:?}");
            }
        }
    }
}

#[test]
fn normal_draws_have_the_quantiles_of_the_normal() {
    let mut draws = draws(&Normal);
    draws.sort_by(f64::total_cmp);
    // Share below, and its normal quantile.
    for (u, quantile) in [
        (0.001, -3.090_232_306_167_813),
        (0.1, -1.281_551_565_544_600_4),
        (0.5, 0.0),
        (0.975, 1.959_963_984_540_054),
    ] {
        let below = draws.partition_point(|&draw| draw < quantile) as f64 / DRAWS as f64;
        let error = 5.0 * (u * (1.0 - u) / DRAWS as f64).sqrt();
        assert!((below - u).abs() < error, "{below} for {u}");
    }
}

/// Coordinates, samples, rows, calls and seeds are all different directions.
#[test]
fn neighbouring_addresses_are_uncorrelated() {
    let base = Address {
        seed: 1,
        call: 1,
        row: 1,
        sample: 1,
    };
    let others = [
        Address { seed: 2, ..base },
        Address { call: 2, ..base },
        Address { row: 2, ..base },
        Address { sample: 2, ..base },
    ];
    let n = 100_000;
    let normal = |address: &Address| {
        let mut eps = vec![0.0; n];
        Normal.fill(address, &mut eps).unwrap();
        eps
    };
    let own = normal(&base);
    let correlation =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / n as f64;
    for other in others {
        assert!(correlation(&own, &normal(&other)).abs() < 5.0 / (n as f64).sqrt());
    }
    assert!(correlation(&own[1..], &own[..n - 1]).abs() < 5.0 / (n as f64).sqrt());
}
