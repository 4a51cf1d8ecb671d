//! Writes JSON. Numbers of 64 and 128 bits are strings of hexadecimal digits behind `0x`, as JSON's own are floats.

/// An object that is being written.
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

/// The text of one object.
pub fn object(write: impl FnOnce(&mut Object)) -> Vec<u8> {
    let mut out = Vec::new();
    nest(&mut out, write);
    out
}

fn nest(out: &mut Vec<u8>, write: impl FnOnce(&mut Object)) {
    out.push(b'{');
    write(&mut Object { out, empty: true });
    out.push(b'}');
}

impl Object<'_> {
    fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        text(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// A large number.
    pub fn number(&mut self, name: &str, value: u128) {
        let out = self.key(name);
        out.extend_from_slice(b"\"0x");
        hex(out, &value.to_be_bytes(), true);
        out.push(b'"');
    }

    /// A large number or `null`.
    pub fn number_or_null(&mut self, name: &str, value: Option<u128>) {
        match value {
            Some(value) => self.number(name, value),
            None => self.null(name),
        }
    }

    /// A small number, as JSON has them.
    pub fn small(&mut self, name: &str, value: u32) {
        let out = self.key(name);
        let (mut digits, mut rest, mut start) = ([0u8; 10], value, 10);
        loop {
            start -= 1;
            // A digit fits.
            digits[start] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        out.extend_from_slice(&digits[start..]);
    }

    /// `null`.
    pub fn null(&mut self, name: &str) {
        self.key(name).extend_from_slice(b"null");
    }

    /// True or false.
    pub fn truth(&mut self, name: &str, value: bool) {
        self.key(name).extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// A word that needs no escapes.
    pub fn word(&mut self, name: &str, value: &'static str) {
        text(self.key(name), value);
    }

    /// Bytes, as hexadecimal digits.
    pub fn bytes(&mut self, name: &str, value: &[u8]) {
        let out = self.key(name);
        out.push(b'"');
        hex(out, value, false);
        out.push(b'"');
    }

    /// An object in this one.
    pub fn object(&mut self, name: &str, write: impl FnOnce(&mut Object)) {
        nest(self.key(name), write);
    }

    /// A list of objects.
    pub fn list<T>(&mut self, name: &str, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Object, T)) {
        let out = self.key(name);
        out.push(b'[');
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            nest(out, |object| write(object, item));
        }
        out.push(b']');
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Two digits a byte; `short` leaves leading zeros out, but for the last digit.
fn hex(out: &mut Vec<u8>, bytes: &[u8], short: bool) {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let skip = if short { digits.clone().take_while(|digit| *digit == 0).count().min(bytes.len() * 2 - 1) } else { 0 };
    out.extend(digits.skip(skip).map(|digit| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value() {
        let text = object(|o| {
            o.number("zero", 0);
            o.number("most", u128::MAX);
            o.number_or_null("some", Some(0xab0));
            o.number_or_null("none", None);
            o.small("small", 6016);
            o.small("nothing", 0);
            o.small("largest", u32::MAX);
            o.truth("yes", true);
            o.word("side", "debt");
            o.bytes("key", &[0, 0x1f]);
            o.object("inner", |o| o.null("a"));
            o.object("empty", |_| {});
            o.list("list", [1, 2], |o, n| o.small("n", n));
            o.list("none_listed", [0; 0], |o, n| o.small("n", n));
        });
        let expected = concat!(
            r#"{"zero":"0x0","most":"0xffffffffffffffffffffffffffffffff","some":"0xab0","none":null,"small":6016,"#,
            r#""nothing":0,"largest":4294967295,"yes":true,"side":"debt","key":"001f","inner":{"a":null},"empty":{},"#,
            r#""list":[{"n":1},{"n":2}],"none_listed":[]}"#
        );
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }
}
