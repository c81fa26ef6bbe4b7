//! Noise at any two addresses is independent, however alike the addresses are.

use imle_runtime::{Address, Gumbel, Noise, Normal};
use rand_xoshiro::rand_core::Rng;

/// An address by its words, in the order of its fields.
fn address([seed, call, row, sample]: [u64; 4]) -> Address {
    Address {
        seed,
        call,
        row,
        sample,
    }
}

fn noise(noise: &dyn Noise, words: [u64; 4], dim: usize) -> Vec<f64> {
    let mut eps = vec![0.0; dim];
    let filled = noise.fill(&address(words), &mut eps);
    filled.expect("the noise is valid");
    eps
}

/// The addresses that differ from `words` in one bit.
fn neighbours(words: [u64; 4]) -> impl Iterator<Item = [u64; 4]> {
    (0..256).map(move |bit| {
        let mut words = words;
        words[bit / 64] ^= 1 << (bit % 64);
        words
    })
}

/// Addresses as programs have them: small numbers, consecutive seeds, hashes as seeds.
const BASES: [[u64; 4]; 6] = [
    [0, 0, 0, 0],
    [1, 0, 0, 0],
    [0, 0, 1, 0],
    [7, 1000, 39, 9],
    [0x9e37_79b9_7f4a_7c15, 3, 63_999, 999],
    [u64::MAX, u64::MAX, u64::MAX, u64::MAX],
];

/// Every bit of an address turns each of the first bits of its words half of the time: of 16 384 binomial counts,
/// none is further than 6 standard deviations from its mean (once in 3 * 10^4 times at random).
#[test]
fn each_bit_of_an_address_turns_half_of_the_bits() {
    let count = 2000_u64;
    let mut turned = vec![[0_u32; 64]; 256];
    for base in 0..count {
        // Rows and samples in turn, under a few seeds.
        let words = [base % 7, base / 7 % 11, base, base % 10];
        let word = address(words).generator().next_u64();
        for (counts, neighbour) in turned.iter_mut().zip(neighbours(words)) {
            let turned = word ^ address(neighbour).generator().next_u64();
            for (bit, count) in counts.iter_mut().enumerate() {
                *count += (turned >> bit & 1) as u32;
            }
        }
    }
    let deviation = (count as f64 / 4.0).sqrt();
    for (bit, counts) in turned.iter().enumerate() {
        for &turned in counts {
            let away = (f64::from(turned) - count as f64 / 2.0) / deviation;
            assert!(
                away.abs() < 6.0,
                "bit {bit} of an address turned {turned} of {count}"
            );
        }
    }
}

/// A correlation of n pairs is normal with variance 1 / n: of 6 * 256 * 3, none is beyond 6 standard deviations, and their
/// squares add up to their number within 6 of its standard deviations.
#[test]
fn noise_of_neighbouring_addresses_is_uncorrelated() {
    let dim = 2000;
    let mut correlations = Vec::new();
    for base in BASES {
        let eps = noise(&Normal, base, dim);
        for words in neighbours(base) {
            let other = noise(&Normal, words, dim);
            // The same coordinate, the next one, and sizes, which may depend on each other without a sign.
            let products = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let sizes = |eps: &[f64]| eps.iter().map(|x| (x * x - 1.0) / 2_f64.sqrt()).collect();
            let (size, other_size): (Vec<f64>, Vec<f64>) = (sizes(&eps), sizes(&other));
            for sum in [
                products(&eps, &other),
                products(&eps[1..], &other),
                products(&size, &other_size),
            ] {
                let away = sum / (dim as f64).sqrt();
                assert!(away.abs() < 6.0, "{away} between {base:?} and {words:?}");
                correlations.push(away);
            }
        }
    }
    let count = correlations.len() as f64;
    let squares: f64 = correlations.iter().map(|away| away * away).sum();
    assert!(
        (squares - count).abs() < 6.0 * (2.0 * count).sqrt(),
        "{squares} for {count}"
    );
}

/// One coordinate across addresses that count up is distributed as it is along one address: the distance of
/// Kolmogorov and Smirnov exceeds `2.2 / sqrt(n)` once in 10^4 times.
#[test]
fn a_coordinate_across_addresses_has_the_distribution_of_the_noise() {
    let count = 20_000_u64;
    for word in 0..4 {
        for base in BASES {
            let across = |at: u64, coordinate: usize| {
                let mut words = base;
                words[word] = words[word].wrapping_add(at);
                noise(&Gumbel, words, coordinate + 1)[coordinate]
            };
            for coordinate in [0, 3] {
                let mut shares: Vec<f64> = (0..count)
                    .map(|at| (-(-across(at, coordinate)).exp()).exp())
                    .collect();
                shares.sort_by(f64::total_cmp);
                let away = shares.iter().enumerate().map(|(at, share)| {
                    let (low, high) = (at as f64 / count as f64, (at + 1) as f64 / count as f64);
                    (share - low).abs().max((share - high).abs())
                });
                let distance = away.fold(0.0, f64::max);
                assert!(
                    distance < 2.4 / (count as f64).sqrt(),
                    "{distance} along word {word} from {base:?}, coordinate {coordinate}"
                );
            }
        }
    }
}

/// Different addresses, different noise: over a block of addresses as a long training has them.
#[test]
fn no_two_addresses_of_a_block_start_alike() {
    let mut first = Vec::new();
    for seed in 0..10 {
        for call in 0..10 {
            for row in 0..100 {
                for sample in 0..10 {
                    let eps = noise(&Normal, [seed, call, row, sample], 1);
                    first.push(eps[0].to_bits());
                }
            }
        }
    }
    first.sort_unstable();
    first.dedup();
    assert_eq!(first.len(), 100_000);
}
