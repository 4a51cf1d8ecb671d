//! The operations, by subject.

mod calls;
mod collections;
mod floats;
mod integers;
mod memory;
mod text;

use crate::{Input, Output};

/// Something to compute on drawn inputs.
pub struct Operation {
    pub name: &'static str,
    pub run: fn(&mut Input, &mut Output),
}

/// The operation that is not to be compared: on chain it panics, as the workspace's profile wants overflow to.
pub const PANICS: &str = "plain overflow";

/// A table of operations, from a name and a closure each.
macro_rules! operations {
    ($($name:expr => |$input:ident, $output:ident| $body:expr;)+) => {
        pub(super) const OPERATIONS: &[$crate::ops::Operation] = &[
            $($crate::ops::Operation {
                name: $name,
                run: |$input: &mut $crate::Input, $output: &mut $crate::Output| { $body; },
            },)+
        ];
    };
}
use operations;

/// All operations. Their order is their number in a request.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    let tables = [
        integers::UNSIGNED,
        integers::SIGNED,
        integers::WIDE,
        calls::OPERATIONS,
        memory::OPERATIONS,
        collections::OPERATIONS,
        text::OPERATIONS,
        floats::OPERATIONS,
    ];
    tables.into_iter().flatten()
}
