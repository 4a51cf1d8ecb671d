//! One module per instruction: what it does, and every reason for which it refuses.

mod smoke;
