//! Access to parameters by their number in [`keel_risk::change`].

use keel_risk::change::{Parameter, Unit};

/// Where a parameter is.
#[derive(Debug, PartialEq, Eq)]
pub enum Slot<'a> {
    U32(&'a mut u32),
    U64(&'a mut u64),
    /// An address or a feed, 32 bytes.
    Id(&'a mut [u8]),
}

impl Slot<'_> {
    /// Its number; an identity has none.
    pub fn value(&self) -> Option<u64> {
        match self {
            Self::U32(value) => Some(u64::from(**value)),
            Self::U64(value) => Some(**value),
            Self::Id(_) => None,
        }
    }
}

pub(super) trait Number {
    fn slot(&mut self) -> Slot<'_>;
}

impl Number for u32 {
    fn slot(&mut self) -> Slot<'_> {
        Slot::U32(self)
    }
}

impl Number for u64 {
    fn slot(&mut self) -> Slot<'_> {
        Slot::U64(self)
    }
}

pub(super) fn number(value: &mut impl Number) -> Slot<'_> {
    value.slot()
}

pub(super) fn id(bytes: &mut [u8]) -> Slot<'_> {
    Slot::Id(bytes)
}

/// The numbers; 0 for an identity.
pub(super) fn numbers<const N: usize>(slots: &[Slot<'_>; N]) -> [u64; N] {
    let mut numbers = [0; N];
    for (number, slot) in numbers.iter_mut().zip(slots) {
        *number = slot.value().unwrap_or_default();
    }
    numbers
}

/// Sets the number of each identity that is another in `new` to 1. `old` and `new` have them one after the other.
pub(super) fn note_identities(parameters: &[Parameter], numbers: &mut [u64], old: &[u8], new: &[u8]) {
    let identities = parameters.iter().zip(numbers).filter(|(parameter, _)| parameter.unit == Unit::Identity);
    for ((_, number), (old, new)) in identities.zip(old.chunks(32).zip(new.chunks(32))) {
        *number = u64::from(old != new);
    }
}
