//! One row of integer weights over binary variables: dynamic programming over the capacity.
//!
//! What the bound of the relaxation leaves open is usually a small core, so only that is enumerated. Ties
//! are broken by the order of the items by profit for their weight, then by index.

use imle_ilp_model::Model;

use super::is_binary;

/// The largest capacity.
const MOST_CAPACITY: f64 = 1e6;
/// The largest table, in entries.
const MOST_ENTRIES: usize = 1 << 22;

/// `weights . z <= capacity`, after items of negative weight were turned round.
#[derive(Debug)]
pub(crate) struct Knapsack {
    weights: Vec<usize>,
    turned: Vec<bool>,
    capacity: usize,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    index: usize,
    profit: f64,
    weight: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Scratch {
    items: Vec<Item>,
    best: Vec<f64>,
    taken: Vec<bool>,
}

impl Knapsack {
    pub(super) fn of(model: &Model) -> Option<Self> {
        let [row] = model.rows() else {
            return None;
        };
        let n = model.variables().len();
        let is_at_most = row.lower == f64::NEG_INFINITY && row.terms.len() == n;
        let whole = |&(_, c): &(usize, f64)| c.fract() == 0.0 && c.abs() <= MOST_CAPACITY;
        if !is_at_most || !row.terms.iter().all(whole) || !model.variables().iter().all(is_binary) {
            return None;
        }
        let negative: f64 = row.terms.iter().map(|term| term.1.min(0.0)).sum();
        let capacity = (row.upper - negative + 1e-9).floor();
        if !(0.0..=MOST_CAPACITY).contains(&capacity) {
            return None;
        }
        // Terms are sorted by variable and there is one for each.
        let weights: Vec<usize> = row.terms.iter().map(|term| term.1.abs() as usize).collect();
        let turned = row.terms.iter().map(|term| term.1 < 0.0).collect();
        let capacity = (capacity as usize).min(weights.iter().sum());
        (n * (capacity + 1) <= MOST_ENTRIES).then_some(Self {
            weights,
            turned,
            capacity,
        })
    }

    pub(super) fn maximise(&self, s: &mut Scratch, objective: &[f64], z: &mut [f64]) -> bool {
        let Scratch { items, best, taken } = s;
        items.clear();
        for (index, (&weight, &turned)) in self.weights.iter().zip(&self.turned).enumerate() {
            let profit = if turned {
                -objective[index]
            } else {
                objective[index]
            };
            z[index] = f64::from(turned);
            if profit > 0.0 && weight <= self.capacity {
                items.push(Item {
                    index,
                    profit,
                    weight,
                });
            }
        }
        let by_ratio = |a: &Item, b: &Item| {
            let (a_over, b_over) = (a.profit * b.weight as f64, b.profit * a.weight as f64);
            b_over.total_cmp(&a_over).then(a.index.cmp(&b.index))
        };
        items.sort_unstable_by(by_ratio);
        let mut flip = |index: usize| z[index] = 1.0 - z[index];
        let capacity = reduce(items, self.capacity, &mut flip);
        fill(items, capacity, best, taken);
        let mut left = capacity;
        for (row, item) in items.iter().enumerate().rev() {
            if taken[row * (capacity + 1) + left] {
                flip(item.index);
                left -= item.weight;
            }
        }
        true
    }
}

/// Takes the items that every better point than a greedy one has, drops those that none has, and returns
/// the capacity that is left for the rest.
fn reduce(items: &mut Vec<Item>, capacity: usize, take: &mut impl FnMut(usize)) -> usize {
    let (mut left, mut greedy, mut price) = (capacity, 0.0, None);
    for item in items.iter() {
        if item.weight <= left {
            left -= item.weight;
            greedy += item.profit;
        } else if price.is_none() {
            price = Some(item.profit / item.weight as f64);
        }
    }
    let price = price.unwrap_or(0.0);
    let gain = |item: &Item| item.profit - price * item.weight as f64;
    let bound = price * capacity as f64 + items.iter().map(|item| gain(item).max(0.0)).sum::<f64>();
    let gap = (bound - greedy) + 1e-9 * bound.abs();
    let mut left = capacity;
    items.retain(|item| {
        let gain = gain(item);
        if gain > gap {
            take(item.index);
            left -= item.weight;
        }
        gain.abs() <= gap
    });
    left
}

/// Fills the table: `taken[row][c]` says whether the best choice among the first items takes this one.
fn fill(items: &[Item], capacity: usize, best: &mut Vec<f64>, taken: &mut Vec<bool>) {
    best.clear();
    best.resize(capacity + 1, 0.0);
    taken.clear();
    taken.resize(items.len() * (capacity + 1), false);
    for (item, taken) in items.iter().zip(taken.chunks_exact_mut(capacity + 1)) {
        for c in (item.weight..=capacity).rev() {
            let with = best[c - item.weight] + item.profit;
            if with > best[c] {
                (best[c], taken[c]) = (with, true);
            }
        }
    }
}
