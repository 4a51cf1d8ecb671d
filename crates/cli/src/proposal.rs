//! Instructions for a DAO: what a proposal executes, in the form that SPL Governance and its interfaces take.

use crate::report::Report;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use solana_instruction::Instruction;

/// An instruction as SPL Governance's `InstructionData`, encoded by Borsh and in base 64: what Realms takes as a custom
/// instruction.
pub fn encode(instruction: &Instruction) -> String {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = instruction.program_id.to_bytes().to_vec();
    bytes.extend(length(instruction.accounts.len()));
    for meta in &instruction.accounts {
        bytes.extend(meta.pubkey.to_bytes());
        bytes.extend([u8::from(meta.is_signer), u8::from(meta.is_writable)]);
    }
    bytes.extend(length(instruction.data.len()));
    bytes.extend(&instruction.data);
    STANDARD.encode(bytes)
}

/// What to put into a proposal. `done` says what it does once it is executed.
pub fn report(done: &str, instructions: &[Instruction]) -> Report {
    let mut text = format!("Nothing was sent. Once a proposal has executed this: {done}\n");
    for instruction in instructions {
        text.push_str(&format!("\nprogram {}\n", instruction.program_id));
        for meta in &instruction.accounts {
            let signs = if meta.is_signer { ", signs" } else { "" };
            let writes = if meta.is_writable { "written" } else { "read" };
            text.push_str(&format!("  {} {writes}{signs}\n", meta.pubkey));
        }
        text.push_str(&format!("data {}\n", STANDARD.encode(&instruction.data)));
        text.push_str(&format!("for a proposal:\n{}\n", encode(instruction)));
    }
    Report::new(text, json!({"instructions": instructions.iter().map(to_json).collect::<Vec<_>>()}))
}

fn to_json(instruction: &Instruction) -> Value {
    let account = |meta: &solana_instruction::AccountMeta| {
        json!({
            "address": meta.pubkey.to_string(),
            "isSigner": meta.is_signer,
            "isWritable": meta.is_writable,
        })
    };
    json!({
        "programId": instruction.program_id.to_string(),
        "accounts": instruction.accounts.iter().map(account).collect::<Vec<_>>(),
        "data": STANDARD.encode(&instruction.data),
        "proposal": encode(instruction),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::AnchorDeserialize;
    use anchor_lang::prelude::Pubkey;
    use keel_client::keel::state::Role;

    /// As SPL Governance declares them.
    #[derive(AnchorDeserialize)]
    struct InstructionData {
        program_id: Pubkey,
        accounts: Vec<AccountMetaData>,
        data: Vec<u8>,
    }

    #[derive(AnchorDeserialize)]
    struct AccountMetaData {
        pubkey: Pubkey,
        is_signer: bool,
        is_writable: bool,
    }

    #[test]
    fn a_proposal_holds_the_whole_instruction() {
        let (signer, market) = (Pubkey::new_unique(), Pubkey::new_unique());
        let instruction = keel_client::instruction::accept_role(signer, market, Role::Governance);
        let bytes = STANDARD.decode(encode(&instruction)).unwrap();
        let decoded = InstructionData::try_from_slice(&bytes).unwrap();
        assert_eq!((decoded.program_id, decoded.data), (instruction.program_id, instruction.data));
        let found: Vec<_> = decoded.accounts.iter().map(|a| (a.pubkey, a.is_signer, a.is_writable)).collect();
        assert_eq!(found, [(signer, true, false), (market, false, true)]);
    }
}
