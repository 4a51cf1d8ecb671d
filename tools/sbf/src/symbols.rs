//! Names as people wrote them.

/// The Rust path of a symbol, without its hash; other names stay as they are.
pub fn demangle(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}

/// Replaces every symbol inside a message.
pub fn demangle_in(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$');
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |length| start + length);
        out.push_str(&rest[..start]);
        out.push_str(&demangle(&rest[start..end]));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_hash() {
        assert_eq!(demangle("_ZN4keel4risk6health17h0123456789abcdefE"), "keel::risk::health");
        assert_eq!(demangle("_RNvCs1234_4keel6health"), "keel::health");
        assert_eq!(demangle("memcpy"), "memcpy");
    }

    #[test]
    fn names_inside_a_message() {
        assert_eq!(
            demangle_in("in function '_ZN4keel6health17h0123456789abcdefE': no"),
            "in function 'keel::health': no"
        );
    }
}
