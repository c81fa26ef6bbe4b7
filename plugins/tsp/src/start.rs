//! A good tour to begin with: nearest neighbours, then 2-opt and or-opt.

use crate::Costs;

/// Tours are begun at so many nodes.
const STARTS: usize = 8;
/// Or-opt moves up to so many nodes at once.
const LONGEST_SEGMENT: usize = 3;

/// Finds a tour that no reversal and no move of a short segment makes better.
pub(crate) fn good_tour(costs: &Costs, tour: &mut Vec<usize>) {
    let mut best = i64::MAX;
    let mut candidate = Vec::with_capacity(costs.nodes);
    for start in 0..STARTS.min(costs.nodes) {
        nearest_neighbours(costs, start, &mut candidate);
        while improve(costs, &mut candidate) {}
        let cost = costs.of_tour(&candidate);
        if cost < best {
            best = cost;
            tour.clone_from(&candidate);
        }
    }
}

fn nearest_neighbours(costs: &Costs, start: usize, tour: &mut Vec<usize>) {
    tour.clear();
    tour.extend(0..costs.nodes);
    tour.swap(0, start);
    for at in 1..costs.nodes {
        let here = tour[at - 1];
        let nearest =
            (at..costs.nodes).min_by_key(|&next| (costs.of(here, tour[next]), tour[next]));
        tour.swap(at, nearest.expect("nodes are left"));
    }
}

/// Makes one pass; says whether anything got better.
fn improve(costs: &Costs, tour: &mut [usize]) -> bool {
    let nodes = costs.nodes;
    let mut improved = false;
    for first in 0..nodes - 1 {
        for last in first + 1..nodes {
            if reversal_gain(costs, tour, first, last) > 0 {
                tour[first..=last].reverse();
                improved = true;
            }
        }
    }
    for length in 1..=LONGEST_SEGMENT {
        for first in 0..nodes {
            // The segment comes to the front, which is the same tour.
            tour.rotate_left(first);
            improved |= move_front(costs, tour, length);
            tour.rotate_right(first);
        }
    }
    improved
}

/// What reversing the nodes from `first` to `last` saves.
fn reversal_gain(costs: &Costs, tour: &[usize], first: usize, last: usize) -> i64 {
    let nodes = costs.nodes;
    let (before, after) = (tour[(first + nodes - 1) % nodes], tour[(last + 1) % nodes]);
    if before == tour[last] {
        return 0; // the whole tour
    }
    let old = costs.of(before, tour[first]) + costs.of(tour[last], after);
    old - costs.of(before, tour[last]) - costs.of(tour[first], after)
}

/// Moves the first `length` nodes between two others, either way round, where that saves the most.
fn move_front(costs: &Costs, tour: &mut [usize], length: usize) -> bool {
    let nodes = tour.len();
    let (head, tail) = (tour[0], tour[length - 1]);
    let (before, after) = (tour[nodes - 1], tour[length]);
    let closing = costs.of(before, head) + costs.of(tail, after) - costs.of(before, after);
    let places = (length..nodes - 1).flat_map(|at| {
        let (left, right) = (tour[at], tour[at + 1]);
        let opening = closing + costs.of(left, right);
        let straight = opening - costs.of(left, head) - costs.of(tail, right);
        let turned = opening - costs.of(left, tail) - costs.of(head, right);
        [(straight, at, false), (turned, at, true)]
    });
    match places.max_by_key(|&(gain, ..)| gain) {
        Some((gain, at, is_turned)) if gain > 0 => {
            if is_turned {
                tour[..length].reverse();
            }
            tour[..=at].rotate_left(length);
            true
        }
        _ => false,
    }
}
