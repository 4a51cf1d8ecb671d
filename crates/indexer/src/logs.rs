//! What a program said in a transaction's logs.

use anchor_lang::prelude::Pubkey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The line that a node writes where a transaction logged more than it keeps.
const TRUNCATED: &str = "Log truncated";

/// What a program logged as data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The data, in order.
    pub data: Vec<Vec<u8>>,
    /// Whether the node left something out: then it may have been this program's.
    pub truncated: bool,
}

/// What `program` logged as data, whoever called it and whatever it called.
///
/// Any program may log bytes that look like another's, and in the same transaction. Which one a line is of says the
/// stack of calls. Programs cannot write the lines that begin and end a call: what they log is prefixed.
///
/// Nothing behind a truncation counts: the node goes on with lines that still fit, and leaves out beginnings and ends of
/// calls that do not.
pub fn said(logs: &[String], program: &Pubkey) -> Said {
    let program = program.to_string();
    let mut calls: Vec<&str> = Vec::new();
    let mut said = Said::default();
    for line in logs {
        if line == TRUNCATED {
            said.truncated = true;
            break;
        }
        let Some(rest) = line.strip_prefix("Program ") else { continue };
        if let Some(data) = rest.strip_prefix("data: ") {
            if calls.last() == Some(&program.as_str()) {
                // One call may log several pieces; Anchor logs one.
                said.data.extend(data.split(' ').filter_map(|piece| STANDARD.decode(piece).ok()));
            }
            continue;
        }
        let mut words = rest.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some(called), Some("invoke"), Some(depth)) => {
                let depth = depth.trim_matches(['[', ']']).parse().unwrap_or(1_usize);
                calls.truncate(depth.saturating_sub(1));
                calls.push(called);
            }
            // "log:" and "return:" are no programs, and no call of theirs is open.
            (Some(ended), Some("success" | "failed:"), _) if calls.last() == Some(&ended) => {
                calls.pop();
            }
            _ => {}
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Pubkey = Pubkey::new_from_array([7; 32]);
    const OTHER: Pubkey = Pubkey::new_from_array([8; 32]);

    fn data(bytes: &[u8]) -> String {
        format!("Program data: {}", STANDARD.encode(bytes))
    }

    fn invoke(program: &Pubkey, depth: usize) -> String {
        format!("Program {program} invoke [{depth}]")
    }

    fn end(program: &Pubkey) -> String {
        format!("Program {program} success")
    }

    #[test]
    fn only_the_program_itself_is_heard() {
        let logs = [
            invoke(&OTHER, 1),
            data(b"forged"),
            invoke(&OURS, 2),
            data(b"first"),
            invoke(&OTHER, 3),
            data(b"forged"),
            format!("Program {OTHER} failed: custom program error: 0x1"),
            data(b"second"),
            format!("Program return: {OTHER} AA=="),
            format!("Program {OURS} consumed 7 of 9 compute units"),
            end(&OURS),
            data(b"forged"),
            end(&OTHER),
            data(b"nobody's"),
        ];
        let expected = Said { data: vec![b"first".into(), b"second".into()], truncated: false };
        assert_eq!(said(&logs, &OURS), expected);
    }

    #[test]
    fn words_of_a_program_are_no_calls() {
        let logs = [
            invoke(&OTHER, 1),
            format!("Program log: Program {OURS} invoke [2]"),
            format!("Program log: {}", data(b"forged")),
            data(b"forged"),
            end(&OTHER),
            invoke(&OURS, 1),
            format!("Program log: {OURS} success"),
            data(b"ours"),
            end(&OURS),
        ];
        assert_eq!(said(&logs, &OURS).data, [b"ours".to_vec()]);
    }

    #[test]
    fn nothing_behind_a_truncation_counts() {
        let logs =
            [invoke(&OURS, 1), data(b"ours"), TRUNCATED.to_string(), data(b"whose?"), end(&OURS), invoke(&OURS, 1)];
        assert_eq!(said(&logs, &OURS), Said { data: vec![b"ours".into()], truncated: true });
    }

    #[test]
    fn a_call_that_ended_unseen_is_closed_by_the_next() {
        // Loaders that write no end, and depths that say so.
        let logs = [invoke(&OURS, 1), invoke(&OTHER, 2), invoke(&OURS, 1), data(b"ours")];
        assert_eq!(said(&logs, &OURS).data, [b"ours".to_vec()]);
        let logs = [invoke(&OURS, 1), invoke(&OTHER, 1), data(b"forged")];
        assert_eq!(said(&logs, &OURS), Said::default());
    }
}
