//! Values out of the bytes of a fuzzer.

/// Bytes that are taken one value after the other; behind the end are zeros.
pub(crate) struct Bytes {
    bytes: Vec<u8>,
    at: usize,
}

impl Bytes {
    pub(crate) const fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte
    }

    /// Any double: small whole numbers are as frequent as patterns of 64 bits.
    pub(crate) fn double(&mut self) -> f64 {
        match self.byte() {
            0xff => f64::from_bits(u64::from_le_bytes(self.array())),
            small => f64::from(small as i8),
        }
    }

    /// Any integer, in the same way.
    pub(crate) fn integer(&mut self) -> u64 {
        match self.byte() {
            0xff => u64::from_le_bytes(self.array()),
            small => small.into(),
        }
    }

    /// Any status code, in the same way.
    pub(crate) fn status(&mut self) -> i32 {
        match self.byte() {
            0xff => i32::from_le_bytes(self.array()),
            small => i32::from(small as i8),
        }
    }

    /// Up to 15 bytes of text, or of what is none.
    pub(crate) fn text(&mut self) -> Vec<u8> {
        let length = self.byte() % 16;
        (0..length).map(|_| self.byte()).collect()
    }

    /// A finite theta.
    pub(crate) fn theta(&mut self, dim: usize) -> Vec<f64> {
        let mut finite = || Some(self.double()).filter(|value| value.is_finite());
        (0..dim).map(|_| finite().unwrap_or(1e300)).collect()
    }
}
