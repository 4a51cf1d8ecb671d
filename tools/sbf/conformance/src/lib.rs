//! Operations that are computed twice, by a Solana program and by the host, from the same source.
//!
//! A [`Request`] names an operation, a seed and a range of input numbers. Both sides draw the inputs from the seed
//! ([`Input`]), run the operation on each and fold what it puts out into a hash ([`Output`]). Every input has its own
//! generator, so that one that differs can be found by halving the range, and be run alone.

pub mod input;
pub mod ops;
pub mod output;
#[cfg(target_os = "solana")]
mod program;

pub use input::Input;
pub use output::Output;

/// What the program is asked, in its instruction data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    pub operation: u32,
    pub first: u32,
    pub count: u32,
    /// Return the bytes that were put out instead of their hash, as far as return data has room.
    pub raw: bool,
    pub seed: u64,
}

/// What fits into a transaction's return data.
pub const RETURN_BYTES: usize = 1024;

impl Request {
    pub const BYTES: usize = 24;

    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..4].copy_from_slice(&self.operation.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.first.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.count.to_le_bytes());
        bytes[12] = u8::from(self.raw);
        bytes[16..].copy_from_slice(&self.seed.to_le_bytes());
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Request> {
        let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        Some(Request {
            operation: word(0)?,
            first: word(4)?,
            count: word(8)?,
            raw: *bytes.get(12)? != 0,
            seed: u64::from(word(16)?) | u64::from(word(20)?) << 32,
        })
    }

    /// Runs the operation on all inputs; `after_each` is called between them.
    pub fn run(self, mut after_each: impl FnMut()) -> Option<Output> {
        let operation = ops::all().nth(self.operation as usize)?;
        let mut output = Output::new(self.raw);
        for number in self.first..self.first.checked_add(self.count)? {
            let mut input = Input::new(self.seed, self.operation, number);
            (operation.run)(&mut input, &mut output);
            after_each();
        }
        Some(output)
    }
}
