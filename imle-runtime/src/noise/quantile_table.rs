//! Draws by the inverse of a distribution function, which is tabulated once.

use std::f64::consts::LN_2;
use std::fmt;

use rand_xoshiro::rand_core::Rng;

use super::Address;

/// A half of the distribution: below or above the median.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Lower,
    Upper,
}

/// A tail at a point: the logarithm of the share that lies beyond, and the derivative of that logarithm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    pub(super) ln_share: f64,
    pub(super) slope: f64,
}

impl Tail {
    /// Returns the tail on `side`, given the lower one. The upper one is lost in rounding when it is small.
    pub(super) fn from_lower(side: Side, lower: Self) -> Self {
        if side == Side::Lower {
            return lower;
        }
        let ln_share = (-lower.ln_share.exp_m1()).ln();
        let slope = -lower.slope * (lower.ln_share - ln_share).exp();
        Self { ln_share, slope }
    }
}

/// The quantile function of a distribution, as cubic polynomials in the share `v` of the nearer tail.
///
/// A word of 64 bits is a side and a `v` in units of 2^-64. Each octave of `v` has the same number of
/// segments, so both tails are as smooth as the middle and reach to what a word can say: there is nothing
/// beyond the table. The exponent and the first bits of the mantissa of `v` number the segment, and
/// neighbouring segments share their value and their slope.
///
/// A table takes 64 KiB; 97 % of all draws read the 5 KiB of the first five octaves.
pub(super) struct QuantileTable {
    segments: Box<[[f64; 4]; SEGMENTS]>,
}

/// Segments of an octave: 2 to the power of this.
const SEGMENT_BITS: u32 = 4;
const PER_OCTAVE: usize = 1 << SEGMENT_BITS;
const PER_SIDE: usize = 64 * PER_OCTAVE;
const SEGMENTS: usize = 2 * PER_SIDE;

/// A half in units of 2^-64.
const HALF: f64 = (1u64 << 63) as f64;

impl fmt::Debug for QuantileTable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("QuantileTable").finish_non_exhaustive()
    }
}

impl QuantileTable {
    /// Tabulates the distribution whose tails at a point are `tail(side, point)`; `None` if these are not the
    /// tails of a continuous distribution, as far as numbers can tell.
    pub(super) fn new(tail: impl Fn(Side, f64) -> Tail) -> Option<Self> {
        let median = median(&tail)?;
        let mut segments = vec![[0.0; 4]; SEGMENTS];
        for side in [Side::Lower, Side::Upper] {
            let mut upper = Knot::solve(HALF, median, |point| tail(side, point))?;
            // The one word that rounds up to a half.
            segments[segment(side, HALF)] = [upper.point, 0.0, 0.0, 0.0];
            for octave in (0..63).rev() {
                let width = f64::from(octave - SEGMENT_BITS as i32).exp2();
                for first in (PER_OCTAVE..2 * PER_OCTAVE).rev() {
                    let share = first as f64 * width;
                    let lower = Knot::solve(share, upper.guess(share), |point| tail(side, point))?;
                    segments[segment(side, share)] = cubic(&lower, &upper);
                    upper = lower;
                }
            }
        }
        let segments = segments.into_boxed_slice().try_into().ok()?;
        Some(Self { segments })
    }

    /// Returns the draw that a word stands for.
    #[inline]
    pub(super) fn draw(&self, word: u64) -> f64 {
        let side = if word >> 63 == 0 {
            Side::Lower
        } else {
            Side::Upper
        };
        // An odd number of units is the middle of a pair, and never zero.
        self.quantile(side, ((word & (u64::MAX >> 1)) | 1) as i64 as f64)
    }

    /// Returns the point beyond which a share of `units` times 2^-64 lies; `units` from 1 to 2^63.
    #[inline]
    pub(super) fn quantile(&self, side: Side, units: f64) -> f64 {
        let [a, b, c, d] = self.segments[segment(side, units)];
        ((d * units + c) * units + b) * units + a
    }

    /// Returns the point below which a share `u` lies.
    pub(super) fn inverse(&self, u: f64) -> f64 {
        let (side, share) = if u < 0.5 {
            (Side::Lower, u)
        } else {
            (Side::Upper, 1.0 - u)
        };
        self.quantile(side, (share * 2.0 * HALF).clamp(1.0, HALF))
    }

    /// Writes the draws of an address: coordinate `i` from its word `i`.
    pub(super) fn fill(&self, address: &Address, eps: &mut [f64]) {
        let mut generator = address.generator();
        eps.fill_with(|| self.draw(generator.next_u64()));
    }
}

/// Numbers the segments of both sides from the leading bits of `units`, rotated: whatever the bits are, the
/// number is within the table.
#[inline]
fn segment(side: Side, units: f64) -> usize {
    let leading = (units.to_bits() >> (52 - SEGMENT_BITS)) as usize % PER_SIDE;
    leading + PER_SIDE * side as usize
}

/// A point of the quantile function.
#[derive(Clone, Copy, Debug)]
struct Knot {
    /// The share beyond the point, in units of 2^-64.
    units: f64,
    point: f64,
    /// Derivative of the point in the logarithm of the share.
    slope: f64,
}

impl Knot {
    /// Finds the point of a share by Newton's method, which is steep neither for exponential tails nor for
    /// powers: the logarithm of the share is nearly linear in the point.
    fn solve(units: f64, guess: f64, tail: impl Fn(f64) -> Tail) -> Option<Self> {
        let target = units.ln() - 64.0 * LN_2;
        let mut point = guess;
        for _ in 0..40 {
            let Tail { ln_share, slope } = tail(point);
            let error = target - ln_share;
            point += error / slope;
            // The next error is about the square of this one.
            if error.abs() < 1e-6 {
                let slope = 1.0 / slope;
                return Some(Self {
                    units,
                    point,
                    slope,
                });
            }
        }
        None
    }

    fn guess(&self, units: f64) -> f64 {
        self.point + self.slope * (units / self.units).ln()
    }
}

/// Finds a point near the median by bisection.
fn median(tail: &impl Fn(Side, f64) -> Tail) -> Option<f64> {
    let excess = |point| tail(Side::Lower, point).ln_share + LN_2;
    let sign = -excess(0.0).signum();
    let (mut near, mut far) = (0.0, sign);
    while excess(far) * sign < 0.0 {
        (near, far) = (far, 2.0 * far);
    }
    // As many halvings as there are exponents, and some.
    for _ in 0..1100 {
        let middle = 0.5 * (near + far);
        let excess = excess(middle);
        if excess.abs() < 0.1 {
            return Some(middle);
        }
        if excess * sign < 0.0 {
            near = middle;
        } else {
            far = middle;
        }
    }
    None
}

/// Returns the coefficients of Hermite's cubic, in powers of the units themselves: the terms stay of the size
/// of the value, as a segment is nowhere near zero compared with its width.
fn cubic(lower: &Knot, upper: &Knot) -> [f64; 4] {
    let width = upper.units - lower.units;
    let (left, right) = (
        lower.slope / lower.units * width,
        upper.slope / upper.units * width,
    );
    let rise = upper.point - lower.point;
    let (b, c, d) = (
        left,
        3.0 * rise - 2.0 * left - right,
        left + right - 2.0 * rise,
    );
    let at = lower.units / width;
    [
        lower.point - at * (b - at * (c - at * d)),
        (b - at * (2.0 * c - 3.0 * at * d)) / width,
        (c - 3.0 * at * d) / width.powi(2),
        d / width.powi(3),
    ]
}
