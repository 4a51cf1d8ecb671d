//! Copies, moves, fills and comparisons of any length.

use super::operations;
use crate::{Input, Output};

/// The longest range.
const LIMIT: usize = 10_000;

fn buffer(i: &mut Input, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    i.fill(&mut bytes);
    bytes
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Block<const N: usize>([u8; N]);

/// Copies of a length that the compiler knows, around those where code for them changes.
#[inline(never)]
fn fixed<const N: usize>(i: &mut Input, o: &mut Output) {
    let mut block = Block([0; N]);
    i.fill(&mut block.0);
    let copy = std::hint::black_box(block);
    let mut boxed = Box::new(copy);
    boxed.0[N / 2] ^= i.u8();
    let other = *boxed;
    o.put((&other.0[..], block == other, block.cmp(&other)));
    *boxed = block;
    o.put((*boxed == copy, boxed.0[0]));
}

operations! {
    "copy" => |i, o| {
        let length = i.length(LIMIT);
        let from = buffer(i, length);
        let mut to = vec![0xa5; length];
        to.copy_from_slice(&from);
        o.put(&to[..])
    };
    "copy parts" => |i, o| {
        let from = buffer(i, 700);
        let mut to = vec![0x5a; 700];
        let (start, length, at) = (i.below(300), i.below(400), i.below(300));
        to[at..at + length].copy_from_slice(&from[start..start + length]);
        o.put(&to[..])
    };
    "move onto itself" => |i, o| {
        let length = i.length(LIMIT);
        let mut bytes = buffer(i, length);
        let (a, b) = (i.below(length + 1), i.below(length + 1));
        let (start, end) = (a.min(b), a.max(b));
        bytes.copy_within(start..end, i.below(length - (end - start) + 1));
        o.put(&bytes[..])
    };
    "fill" => |i, o| {
        let length = i.length(LIMIT);
        let mut bytes = buffer(i, length);
        let (a, b) = (i.below(length + 1), i.below(length + 1));
        bytes[a.min(b)..a.max(b)].fill(i.u8());
        o.put(&bytes[..])
    };
    "fill words" => |i, o| {
        let mut words = vec![i.u64(); i.length(600)];
        let (at, value) = (i.below(words.len() + 1), i.u64());
        words[at..].fill(value);
        words.into_iter().for_each(|word| o.put(word))
    };
    "compare" => |i, o| {
        let length = i.length(LIMIT);
        let a = buffer(i, length);
        let mut b = a.clone();
        if length > 0 && i.bool() {
            b[i.below(length)] ^= i.u8();
        }
        o.put((a == b, a.cmp(&b), a[..length / 2] == b[length - length / 2..]))
    };
    "compare lengths" => |i, o| {
        let (a, b) = (i.length(300), i.length(300));
        let bytes = vec![i.u8(); 300];
        o.put((bytes[..a].cmp(&bytes[..b]), bytes[..a] == bytes[..b], bytes.starts_with(&bytes[..a])))
    };
    "rotate and reverse" => |i, o| {
        let length = i.length(400);
        let mut bytes = buffer(i, length);
        bytes.rotate_left(i.below(length + 1));
        bytes.reverse();
        o.put(&bytes[..])
    };
    "swap" => |i, o| {
        let mut bytes = buffer(i, 128);
        let (a, b) = bytes.split_at_mut(64);
        a.swap_with_slice(b);
        bytes.swap(i.below(128), i.below(128));
        o.put(&bytes[..])
    };
    "grow" => |i, o| {
        let mut bytes = Vec::new();
        for _ in 0..i.below(30) {
            bytes.extend_from_slice(&i.u64().to_le_bytes()[..i.below(9)]);
            bytes.insert(i.below(bytes.len() + 1), i.u8());
        }
        bytes.truncate(i.below(200));
        o.put(&bytes[..])
    };
    "copies of 1 byte" => |i, o| fixed::<1>(i, o);
    "copies of 7 bytes" => |i, o| fixed::<7>(i, o);
    "copies of 8 bytes" => |i, o| fixed::<8>(i, o);
    "copies of 33 bytes" => |i, o| fixed::<33>(i, o);
    "copies of 63 bytes" => |i, o| fixed::<63>(i, o);
    "copies of 64 bytes" => |i, o| fixed::<64>(i, o);
    "copies of 65 bytes" => |i, o| fixed::<65>(i, o);
    "copies of 127 bytes" => |i, o| fixed::<127>(i, o);
    "copies of 500 bytes" => |i, o| fixed::<500>(i, o);
}
