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
        let noise = SumOfGamma { kappa, terms };
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

/// Lemma 1: the sum of kappa draws tends to a Gumbel. The truncated series lacks the terms behind s, whose
/// mean is about 1 / (2 s) and is added here; with s = 500 the rest is below what these draws can see.
#[test]
fn the_sum_of_kappa_draws_tends_to_a_gumbel() {
    let (kappa, terms) = (4, 500);
    let noise = SumOfGamma {
        kappa: f64::from(kappa),
        terms,
    };
    let mut draws = vec![0.0; 20_000];
    noise
        .fill(
            &Address {
                seed: 3,
                call: 0,
                row: 0,
                sample: 0,
            },
            &mut draws,
        )
        .unwrap();
    let shift = 0.5 / f64::from(terms);
    let sums: Vec<f64> = draws
        .chunks_exact(kappa as usize)
        .map(|draws| draws.iter().sum::<f64>() - shift)
        .collect();
    assert_distribution(sums, gumbel_cdf);
}

#[test]
fn noise_is_finite_at_every_kappa() {
    for kappa in [1e-3, 0.5, 1.0, 1e3, 1e6] {
        let noise = SumOfGamma { kappa, terms: 10 };
        let mut eps = [0.0; 1000];
        noise
            .fill(
                &Address {
                    seed: 0,
                    call: 0,
                    row: 0,
                    sample: 0,
                },
                &mut eps,
            )
            .unwrap();
        assert!(eps.iter().all(|eps| eps.is_finite()), "kappa = {kappa}");
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
