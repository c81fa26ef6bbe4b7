//! What a configuration says, checked and brought into a form that is easy to solve.

use imle_api::{Error, ErrorKind};
use schemars::JsonSchema;
use serde::Deserialize;

/// Capacities beyond this would leave combined weights too few digits.
const LARGEST_CAPACITY: u64 = 1 << 32;
const MOST_ITEMS: usize = 1 << 20;
const MOST_DIMENSIONS: usize = 1 << 10;
/// The largest table of dynamic programming.
const MOST_BITS: u64 = 1 << 28;

/// Which items there are and what fits.
///
/// ```
/// use imle_api::{Linked, solve_one};
/// use imle_knapsack::Knapsack;
///
/// let oracle = Linked::<Knapsack>::open(r#"{"weights": [[3, 4, 2]], "capacities": [6]}"#)?;
/// let (z, _) = solve_one(&oracle, &[2.0, 3.0, 2.5])?;
/// assert_eq!(z, [0.0, 1.0, 1.0]);
/// # Ok::<(), imle_api::Error>(())
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("examples" = [{"weights": [[2, 3, 1, 4, 2]], "capacities": [6]}]))]
pub struct Config {
    /// For each dimension, the weight of every item.
    pub weights: Vec<Vec<u64>>,
    /// For each dimension, what the weights of a state sum to at most; up to 2^32.
    pub capacities: Vec<u64>,
    /// The most that may be taken of every item; 1 if absent.
    pub copies: Option<Vec<u32>>,
}

/// Items cut into pieces of which each is taken or not.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) items: usize,
    pub(crate) pieces: Vec<Piece>,
    /// Of the dimensions that can be full at all.
    pub(crate) capacities: Vec<u64>,
    copies: Vec<u32>,
}

/// Some copies of one item: 1, 2, 4, ... and what is left, so that they add up to any number.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) item: usize,
    pub(crate) count: u32,
    /// For each dimension; never above its capacity.
    pub(crate) weights: Vec<u64>,
}

impl Problem {
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        let items = check(&config)?;
        let copies: Vec<u32> = (0..items).map(|item| fitting(&config, item)).collect();
        let (weights, capacities) = binding_dimensions(&config, &copies);
        let pieces = (0..items).flat_map(|item| {
            let weights = &weights;
            split(copies[item]).map(move |count| Piece {
                item,
                count,
                weights: weights.iter().map(|w| w[item] * u64::from(count)).collect(),
            })
        });
        let pieces = pieces.collect();
        Ok(Self {
            items,
            pieces,
            capacities,
            copies,
        })
    }

    /// The most of one item in any state.
    pub(crate) fn most_copies(&self) -> f64 {
        f64::from(self.copies.iter().copied().max().unwrap_or(0))
    }

    /// The digits of a gain, so that the sum of all stays below 2^62.
    pub(crate) fn bits(&self) -> u32 {
        let copies: u64 = self.copies.iter().map(|&copies| u64::from(copies)).sum();
        52.min(61 - copies.max(1).ilog2())
    }

    /// The capacity, if there is one dimension and its table is small enough.
    pub(crate) fn capacity_for_dynamic(&self) -> Option<usize> {
        match self.capacities[..] {
            [] => Some(0),
            // A gain of 64 bits and a bit for each piece.
            [capacity] if (capacity + 1) * (64 + self.pieces.len() as u64) <= MOST_BITS => {
                Some(capacity as usize)
            }
            _ => None,
        }
    }
}

/// Checks sizes and returns the number of items.
fn check(config: &Config) -> Result<usize, Error> {
    let invalid = |message: String| Err(Error::new(ErrorKind::InvalidConfig, message));
    let dimensions = config.weights.len();
    if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
        return invalid(format!(
            "weights has {dimensions} dimensions; it must be 1 to {MOST_DIMENSIONS}"
        ));
    }
    if config.capacities.len() != dimensions {
        return invalid(format!(
            "there are {} capacities, but weights has {dimensions} dimensions",
            config.capacities.len()
        ));
    }
    let items = config.weights[0].len();
    if !(1..=MOST_ITEMS).contains(&items) {
        return invalid(format!(
            "there are {items} items; it must be 1 to {MOST_ITEMS}"
        ));
    }
    if let Some(at) = config
        .weights
        .iter()
        .position(|weights| weights.len() != items)
    {
        return invalid(format!(
            "weights[{at}] has {} items, but weights[0] has {items}",
            config.weights[at].len()
        ));
    }
    if let Some(copies) = config
        .copies
        .as_ref()
        .filter(|copies| copies.len() != items)
    {
        return invalid(format!(
            "there are {} copies for {items} items",
            copies.len()
        ));
    }
    let too_large = |&capacity: &u64| capacity > LARGEST_CAPACITY;
    match config.capacities.iter().position(too_large) {
        Some(at) => invalid(format!(
            "capacities[{at}] = {} is above 2^32; use a coarser unit",
            config.capacities[at]
        )),
        None => Ok(items),
    }
}

/// How many copies of an item fit when there is nothing else.
fn fitting(config: &Config, item: usize) -> u32 {
    let limit = config.copies.as_ref().map_or(1, |copies| copies[item]);
    let dimensions = config.weights.iter().zip(&config.capacities);
    let fit = dimensions.filter_map(|(weights, capacity)| capacity.checked_div(weights[item]));
    let fit = fit
        .min()
        .map_or(u32::MAX, |fit| u32::try_from(fit).unwrap_or(u32::MAX));
    limit.min(fit)
}

/// The dimensions that everything together would overfill, their common divisors taken out.
fn binding_dimensions(config: &Config, copies: &[u32]) -> (Vec<Vec<u64>>, Vec<u64>) {
    let mut binding = (Vec::new(), Vec::new());
    for (weights, &capacity) in config.weights.iter().zip(&config.capacities) {
        // What does not fit is never taken and may weigh anything.
        let fits = |(&weight, &copies): (&u64, &u32)| if copies == 0 { 0 } else { weight };
        let weights: Vec<u64> = weights.iter().zip(copies).map(fits).collect();
        let all = |(&weight, &copies): (&u64, &u32)| u128::from(weight) * u128::from(copies);
        let total: u128 = weights.iter().zip(copies).map(all).sum();
        if total > u128::from(capacity) {
            let divisor = weights.iter().copied().fold(0, gcd);
            binding
                .0
                .push(weights.iter().map(|weight| weight / divisor).collect());
            binding.1.push(capacity / divisor);
        }
    }
    binding
}

fn split(copies: u32) -> impl Iterator<Item = u32> {
    let mut left = copies;
    let mut next = 1;
    std::iter::from_fn(move || {
        let count = left.min(next);
        left -= count;
        next = next.saturating_mul(2);
        (count > 0).then_some(count)
    })
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
