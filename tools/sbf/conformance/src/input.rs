//! Inputs: random numbers with many of those among them that break arithmetic.

/// Draws the inputs of one run of an operation.
pub struct Input {
    state: u64,
    /// What was drawn, to be shown when the two sides differ.
    #[cfg(not(target_os = "solana"))]
    pub drawn: Vec<String>,
}

macro_rules! draw {
    ($($name:ident: $ty:ty;)+) => {
        $(pub fn $name(&mut self) -> $ty {
            let value = self.number() as $ty;
            self.record(&value);
            value
        })+
    };
}

macro_rules! draw_wide {
    ($($name:ident: $ty:ty;)+) => {
        $(pub fn $name(&mut self) -> $ty {
            let value = self.wide_number() as $ty;
            self.record(&value);
            value
        })+
    };
}

impl Input {
    pub fn new(seed: u64, operation: u32, number: u32) -> Input {
        let mut input = Input {
            state: seed ^ (u64::from(operation) << 32 | u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            #[cfg(not(target_os = "solana"))]
            drawn: Vec::new(),
        };
        input.bits();
        input
    }

    #[cfg(not(target_os = "solana"))]
    fn record(&mut self, value: &dyn std::fmt::Debug) {
        self.drawn.push(format!("{value:?}"));
    }

    #[cfg(target_os = "solana")]
    fn record<T>(&mut self, _value: &T) {}

    /// SplitMix64.
    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number whose low bits are as interesting in narrow types as all of them are in 64 bits.
    fn number(&mut self) -> u64 {
        let bits = self.bits();
        let choice = self.bits();
        let shift = (choice >> 8) as u32 & 63;
        match choice & 7 {
            // 0, 1, 2, 3 and -1, -2, -3, -4
            0 => (bits & 3) ^ ((bits >> 2) & 1).wrapping_neg(),
            // A power of two and its neighbours, of either sign
            1 => (1_u64 << shift).wrapping_add(bits & 3).wrapping_sub(1),
            2 => (1_u64 << shift).wrapping_add(bits & 3).wrapping_sub(1).wrapping_neg(),
            // Smallest and largest of every signed width
            3 => [0x7f, 0x7fff, 0x7fff_ffff, 0x7fff_ffff_ffff_ffff][bits as usize & 3] + ((bits >> 2) & 1),
            // Of any length
            4 => bits >> shift,
            _ => bits,
        }
    }

    fn wide_number(&mut self) -> u128 {
        let (low, high) = (self.number(), self.number());
        let choice = self.bits();
        let shift = (choice >> 8) as u32 & 127;
        let number = u128::from(high) << 64 | u128::from(low);
        match choice & 7 {
            0 => u128::from(low),
            1 => low as i64 as u128,
            2 => (1_u128 << shift).wrapping_add(u128::from(low & 3)).wrapping_sub(1),
            3 => (1_u128 << shift).wrapping_add(u128::from(low & 3)).wrapping_sub(1).wrapping_neg(),
            4 => number >> shift,
            5 => u128::MAX << shift,
            _ => number,
        }
    }

    draw! {
        u8: u8;
        u16: u16;
        u32: u32;
        u64: u64;
        i8: i8;
        i16: i16;
        i32: i32;
        i64: i64;
    }

    draw_wide! {
        u128: u128;
        i128: i128;
    }

    pub fn bool(&mut self) -> bool {
        let value = self.bits() & 1 == 1;
        self.record(&value);
        value
    }

    /// Evenly distributed below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        let value = (self.bits() % limit as u64) as usize;
        self.record(&value);
        value
    }

    /// A length up to `limit`, as often short as long.
    pub fn length(&mut self, limit: usize) -> usize {
        let bits = self.bits();
        let value = match bits & 3 {
            0 => (bits >> 8) % 72,
            1 => (bits >> 8) % 600,
            _ => (bits >> 8) % (limit as u64 + 1),
        };
        let value = (value as usize).min(limit);
        self.record(&value);
        value
    }

    pub fn f64(&mut self) -> f64 {
        const SPECIAL: [f64; 16] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            1.5,
            2.5,
            -2.5,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            9_007_199_254_740_993.0,
            18_446_744_073_709_551_615.0,
        ];
        let bits = self.bits();
        let choice = self.bits();
        let value = match choice & 7 {
            0 => SPECIAL[bits as usize & 15],
            // Whole numbers, halves and quarters of any size
            1 => (bits >> ((choice >> 8) & 63)) as i64 as f64 / [1.0, 2.0, 4.0, -4.0][(choice >> 3) as usize & 3],
            2 => self.number() as i64 as f64,
            // Around one
            3 => f64::from_bits((bits >> 12) | 0x3ff0_0000_0000_0000) - 1.5,
            // Moderate exponents, either sign
            4 | 5 => f64::from_bits((bits & 0x800f_ffff_ffff_ffff) | ((0x3e0 + ((choice >> 8) & 63)) << 52)),
            _ => f64::from_bits(bits),
        };
        self.record(&value);
        value
    }

    pub fn f32(&mut self) -> f32 {
        let bits = self.bits();
        let value = match bits & 3 {
            0 => self.f64() as f32,
            1 => (bits >> 40) as i32 as f32 / [1.0, 2.0, 4.0, -4.0][(bits >> 3) as usize & 3],
            2 => f32::from_bits((((bits >> 8) as u32) & 0x807f_ffff) | (0x60 + ((bits >> 40) as u32 & 63)) << 23),
            _ => f32::from_bits((bits >> 32) as u32),
        };
        self.record(&value);
        value
    }

    /// Fills a buffer; what comes is not recorded.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let bits = self.bits().to_le_bytes();
            chunk.copy_from_slice(&bits[..chunk.len()]);
        }
    }
}
