//! Where the arrays of a call lie in the shared memory.

/// A sentence is cut here, as one of a plugin in this process is.
pub(super) const LONGEST_MESSAGE: usize = 4 << 10;
/// Theta and states of one call take at most so much, if that is room for a row.
const MOST_BYTES: usize = 32 << 20;
const MOST_ROWS: usize = 4096;
/// In front of every array that a worker writes: whoever writes before the array changes it.
pub(super) const CANARY: [u64; 8] = [0x5afe_c0de_dead_10cc; 8];

/// Bytes of the mapping, between two pages that the worker cannot touch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Where the arrays lie. An array ends where its section does, so that the first value behind it is on a page
/// that cannot be touched, whatever the number of rows.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) theta: Section,
    pub(super) output: Section,
    pub(super) value: Section,
    pub(super) bound: Section,
    pub(super) radius: Section,
    pub(super) status: Section,
    /// The length of the message of each row.
    pub(super) lengths: Section,
    /// A place for the message of each row and one for that of the call; untouched, it takes no memory.
    pub(super) texts: Section,
    pub(super) size: usize,
}

impl Layout {
    /// The layout for a call with rows of `dim` coordinates.
    pub(super) fn new(dim: usize) -> Self {
        let rows = Self::most_rows(dim);
        let page = rustix::param::page_size();
        let mut size = page; // behind the first page
        let mut section = |bytes: usize| {
            let start = size + page;
            size = start + (bytes + size_of_val(&CANARY)).next_multiple_of(page);
            Section { start, end: size }
        };
        let (wide, double) = (rows * dim * size_of::<f64>(), rows * size_of::<f64>());
        let mut layout = Self {
            theta: section(wide),
            output: section(wide),
            value: section(double),
            bound: section(double),
            radius: section(double),
            status: section(rows * size_of::<i32>()),
            lengths: section(rows * size_of::<u32>()),
            texts: section((rows + 1) * LONGEST_MESSAGE),
            size: 0,
        };
        layout.size = size + page;
        layout
    }

    /// How many rows of `dim` coordinates one call takes at most.
    pub(super) fn most_rows(dim: usize) -> usize {
        (MOST_BYTES / (2 * size_of::<f64>() * dim)).clamp(1, MOST_ROWS)
    }

    pub(super) fn sections(&self) -> [Section; 8] {
        [
            self.theta,
            self.output,
            self.value,
            self.bound,
            self.radius,
            self.status,
            self.lengths,
            self.texts,
        ]
    }
}
