//! Formatting and parsing.

use super::operations;
use crate::Input;

#[derive(Debug)]
#[expect(dead_code, reason = "only formatted")]
enum Event {
    Opened { id: u64, amount: u128 },
    Moved(i128, Option<bool>),
    Closed,
}

/// Text with letters of all lengths in UTF-8.
fn draw_text(i: &mut Input) -> String {
    const LETTERS: [char; 12] = ['a', 'Z', '0', '9', ' ', '-', '.', 'ß', 'é', '€', '𝕏', '"'];
    (0..i.below(20)).map(|_| LETTERS[i.below(LETTERS.len())]).collect()
}

operations! {
    "format numbers" => |i, o| {
        o.put(format!("{} {} {}", i.u128(), i.i128(), i.u64()));
        o.put(format!("{:x} {:#010b} {:o} {:e}", i.u128(), i.u8(), i.i64(), i.u64()));
        o.put(format!("{:+} {:>12} {:<9}|{:^7}|{:03}", i.i32(), i.i64(), i.u16(), i.i8(), i.u32()))
    };
    "format values" => |i, o| {
        let event = match i.below(3) {
            0 => Event::Opened { id: i.u64(), amount: i.u128() },
            1 => Event::Moved(i.i128(), [None, Some(true), Some(false)][i.below(3)]),
            _ => Event::Closed,
        };
        o.put(format!("{event:?} {event:#?}"));
        o.put(format!("{:?} {:?}", draw_text(i), (i.bool(), 'ß', [i.u8(); 3])))
    };
    "format floats" => |i, o| {
        let (x, y) = (i.f64(), i.f32());
        o.put(format!("{x} {x:?} {y}"));
        o.put(format!("{x:.3} {y:e} {:.0}", x.clamp(-1e18, 1e18)))
    };
    "parse integers" => |i, o| {
        let text = match i.below(4) {
            0 => i.u128().to_string(),
            1 => i.i128().to_string(),
            2 => i.i64().to_string(),
            _ => draw_text(i),
        };
        o.put((text.parse::<u128>().ok(), text.parse::<i128>().ok(), text.parse::<u64>().ok()));
        o.put((text.parse::<i64>().ok(), text.parse::<i8>().ok(), u64::from_str_radix(&text, 16).ok()))
    };
    "parse floats" => |i, o| {
        let text = match i.below(4) {
            0 => i.f64().to_string(),
            1 => format!("{:e}", i.f32()),
            2 => format!("{}.{}e{}", i.u16(), i.u64(), i.i8()),
            _ => draw_text(i),
        };
        o.put((text.parse::<f64>().ok(), text.parse::<f32>().ok()))
    };
    "text" => |i, o| {
        let text = draw_text(i);
        o.put((text.chars().rev().collect::<String>(), text.to_uppercase(), text.trim()));
        o.put((text.split('-').count(), text.find('.'), text.replace('a', "--")));
        o.put(text.char_indices().map(|(at, c)| at * c.len_utf8()).sum::<usize>())
    };
    "UTF-8" => |i, o| {
        let mut bytes = draw_text(i).into_bytes();
        if !bytes.is_empty() && i.bool() {
            let at = i.below(bytes.len());
            bytes[at] = i.u8();
        }
        o.put(std::str::from_utf8(&bytes).map_err(|error| error.valid_up_to()));
        o.put(String::from_utf8_lossy(&bytes).into_owned())
    };
}
