//! Chu and Liu's and Edmonds' algorithm: the best edge into every vertex; cycles become one vertex.
//!
//! Each *level* is a partition of the vertices into parts. On the first every vertex is a part; the next
//! has the cycles that the best edges form contracted. On the last they form none, and are the
//! answer there; going back, every cycle opens where the edge that enters it arrives.

use crate::Graph;

const NONE: u32 = u32::MAX;

/// Buffers that survive from row to row.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    arcs: Vec<Arc>,
    levels: Vec<Level>,
    entering: Vec<u32>,
    opened: Vec<u32>,
}

/// An edge between two different parts of the level at work.
#[derive(Clone, Copy, Debug)]
struct Arc {
    from: u32,
    to: u32,
    edge: u32,
    /// What choosing this edge adds: of absolute value at most 2^61, since only the best arc into a part is
    /// ever subtracted from another one into it.
    gain: i64,
}

#[derive(Debug, Default)]
struct Level {
    /// The part that each vertex is in.
    part: Vec<u32>,
    /// The best edge into each part and its gain.
    best: Vec<(u32, i64)>,
    /// The part that the best edge comes from.
    before: Vec<u32>,
    /// The part of the next level that each part is in.
    next: Vec<u32>,
    next_parts: u32,
}

impl Scratch {
    /// Sets the edges of the best arborescence; `z` is zero on entry.
    pub(crate) fn write_best(
        &mut self,
        graph: &Graph,
        root: usize,
        weights: &[i64],
        z: &mut [f64],
    ) {
        let last = self.contract(graph, root, weights);
        self.open(graph, last);
        for &edge in self.entering.iter().filter(|&&edge| edge != NONE) {
            z[edge as usize] = 1.0;
        }
    }

    /// Makes levels until the best edges form no cycle; returns the last.
    fn contract(&mut self, graph: &Graph, root: usize, weights: &[i64]) -> usize {
        self.arcs.clear();
        for (edge, (&[from, to], &gain)) in graph.edges.iter().zip(weights).enumerate() {
            if from != to && to != root {
                let [from, to, edge] = [from, to, edge].map(|index| index as u32);
                self.arcs.push(Arc {
                    from,
                    to,
                    edge,
                    gain,
                });
            }
        }
        let mut parts = graph.vertices as u32;
        let mut part: Vec<u32> = (0..parts).collect();
        for at in 0.. {
            if self.levels.len() == at {
                self.levels.push(Level::default());
            }
            let level = &mut self.levels[at];
            level.part.clone_from(&part);
            level.choose(&self.arcs, parts);
            if !level.find_cycles() {
                return at;
            }
            level.shrink(&mut self.arcs);
            part.iter_mut()
                .for_each(|part| *part = level.next[*part as usize]);
            parts = level.next_parts;
        }
        unreachable!("every level has fewer parts than the one before")
    }

    /// Goes back from the last level to the vertices: `entering` holds the edge into each part.
    fn open(&mut self, graph: &Graph, last: usize) {
        self.entering.clear();
        self.entering
            .extend(self.levels[last].best.iter().map(|best| best.0));
        for level in self.levels[..last].iter().rev() {
            self.opened.clear();
            let parts = level.next.iter().zip(&level.best);
            self.opened
                .extend(parts.enumerate().map(|(part, (&next, &(best, _)))| {
                    // The edge that enters the cycle replaces the best one into the part where it arrives.
                    match self.entering[next as usize] {
                        NONE => NONE,
                        edge => {
                            let head = graph.edges[edge as usize][1];
                            let arrives = level.part[head] as usize == part;
                            if arrives { edge } else { best }
                        }
                    }
                }));
            std::mem::swap(&mut self.entering, &mut self.opened);
        }
    }
}

impl Level {
    /// Finds the best arc into every part. Arcs are in the order of their edges: the lower index wins.
    fn choose(&mut self, arcs: &[Arc], parts: u32) {
        self.best.clear();
        self.best.resize(parts as usize, (NONE, 0));
        self.before.clear();
        self.before.resize(parts as usize, NONE);
        for arc in arcs {
            let best = &mut self.best[arc.to as usize];
            if best.0 == NONE || arc.gain > best.1 {
                *best = (arc.edge, arc.gain);
                self.before[arc.to as usize] = arc.from;
            }
        }
    }

    /// Numbers the parts of the next level; says whether there is a cycle to contract.
    fn find_cycles(&mut self) -> bool {
        let parts = self.best.len();
        self.next.clear();
        self.next.resize(parts, NONE);
        self.next_parts = 0;
        let mut seen = vec![NONE; parts];
        let mut found = false;
        for first in 0..parts as u32 {
            let mut part = first;
            while part != NONE && seen[part as usize] == NONE {
                seen[part as usize] = first;
                part = self.before[part as usize];
            }
            if part != NONE && seen[part as usize] == first && self.next[part as usize] == NONE {
                found = true;
                self.number_cycle(part);
            }
        }
        for next in self.next.iter_mut().filter(|next| **next == NONE) {
            *next = self.next_parts;
            self.next_parts += 1;
        }
        found
    }

    fn number_cycle(&mut self, on_cycle: u32) {
        let mut part = on_cycle;
        while self.next[part as usize] == NONE {
            self.next[part as usize] = self.next_parts;
            part = self.before[part as usize];
        }
        self.next_parts += 1;
    }

    /// Leads arcs from part to part of the next level. One into a cycle replaces the best one there.
    fn shrink(&self, arcs: &mut Vec<Arc>) {
        arcs.retain_mut(|arc| {
            let to = arc.to as usize;
            let next = [self.next[arc.from as usize], self.next[to]];
            arc.gain -= if self.is_on_cycle(to) {
                self.best[to].1
            } else {
                0
            };
            [arc.from, arc.to] = next;
            arc.from != arc.to
        });
    }

    fn is_on_cycle(&self, part: usize) -> bool {
        let before = self.before[part];
        before != NONE && self.next[before as usize] == self.next[part]
    }
}
