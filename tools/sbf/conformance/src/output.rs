//! What operations put out: a hash of it, or its first bytes.

use crate::RETURN_BYTES;

/// Collects the results of operations.
pub struct Output {
    pub hash: u64,
    /// In raw mode, the bytes; they stop when they fill the return data.
    pub bytes: Option<Vec<u8>>,
}

impl Output {
    pub fn new(raw: bool) -> Output {
        Output { hash: 0, bytes: raw.then(|| Vec::with_capacity(RETURN_BYTES)) }
    }

    pub fn word(&mut self, word: u64) {
        self.hash = (self.hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        if let Some(bytes) = &mut self.bytes
            && bytes.len() + 8 <= RETURN_BYTES
        {
            bytes.extend(word.to_le_bytes());
        }
    }

    pub fn put<T: Put>(&mut self, value: T) {
        value.put(self);
    }
}

/// A result that can be put out.
pub trait Put {
    fn put(self, output: &mut Output);
}

macro_rules! put_word {
    ($($ty:ty)+) => {
        $(impl Put for $ty {
            fn put(self, output: &mut Output) {
                output.word(self as u64);
            }
        })+
    };
}

put_word!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize bool);

impl Put for u128 {
    fn put(self, output: &mut Output) {
        output.word(self as u64);
        output.word((self >> 64) as u64);
    }
}

impl Put for i128 {
    fn put(self, output: &mut Output) {
        (self as u128).put(output);
    }
}

impl Put for f64 {
    /// The bits of NaN are not specified.
    fn put(self, output: &mut Output) {
        output.word(if self.is_nan() { f64::NAN.to_bits() } else { self.to_bits() });
    }
}

impl Put for f32 {
    fn put(self, output: &mut Output) {
        output.word(u64::from(if self.is_nan() { f32::NAN.to_bits() } else { self.to_bits() }));
    }
}

impl Put for char {
    fn put(self, output: &mut Output) {
        output.word(u64::from(u32::from(self)));
    }
}

impl Put for std::cmp::Ordering {
    fn put(self, output: &mut Output) {
        output.word(self as i8 as u64);
    }
}

impl Put for () {
    fn put(self, output: &mut Output) {
        output.word(0);
    }
}

impl Put for &[u8] {
    fn put(self, output: &mut Output) {
        output.word(self.len() as u64);
        for chunk in self.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            output.word(u64::from_le_bytes(word));
        }
    }
}

impl Put for &str {
    fn put(self, output: &mut Output) {
        self.as_bytes().put(output);
    }
}

impl Put for String {
    fn put(self, output: &mut Output) {
        self.as_str().put(output);
    }
}

impl<T: Put> Put for Option<T> {
    fn put(self, output: &mut Output) {
        match self {
            None => output.word(0x6e6f_6e65),
            Some(value) => value.put(output),
        }
    }
}

impl<T: Put, E: Put> Put for Result<T, E> {
    fn put(self, output: &mut Output) {
        match self {
            Ok(value) => value.put(output),
            Err(error) => {
                output.word(0x6572_726f_7200);
                error.put(output);
            }
        }
    }
}

impl<T: Put, const N: usize> Put for [T; N] {
    fn put(self, output: &mut Output) {
        for value in self {
            value.put(output);
        }
    }
}

impl<A: Put, B: Put> Put for (A, B) {
    fn put(self, output: &mut Output) {
        self.0.put(output);
        self.1.put(output);
    }
}

impl<A: Put, B: Put, C: Put> Put for (A, B, C) {
    fn put(self, output: &mut Output) {
        self.0.put(output);
        self.1.put(output);
        self.2.put(output);
    }
}
