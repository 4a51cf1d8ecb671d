//! What to do about an error.

use crate::BadInput;
use keel_client::ClientError;
use serde_json::json;

/// Prints an error: what was wrong, and what to do.
pub fn print(error: &anyhow::Error, json: bool) {
    let hint = hint(error);
    if json {
        let client = error.downcast_ref::<ClientError>();
        let rejection = client.and_then(|client| match client {
            ClientError::Rejected(rejection) => Some(rejection),
            _ => None,
        });
        let object = json!({
            "error": format!("{error:#}"),
            "name": rejection.and_then(|r| r.name.clone()),
            "code": rejection.and_then(|r| r.code),
            "program": rejection.and_then(|r| r.program).map(|program| program.to_string()),
            "logs": client.map(ClientError::logs),
            "hint": hint,
        });
        eprintln!("{object:#}");
        return;
    }
    eprintln!("keel: {error:#}");
    if let Some(hint) = hint {
        eprintln!("{hint}");
    }
}

/// What to do about an error, where the error does not say so itself.
pub fn hint(error: &anyhow::Error) -> Option<String> {
    if error.is::<BadInput>() {
        return None;
    }
    let hint = match error.downcast_ref::<ClientError>()? {
        ClientError::Unreachable { .. } => {
            "Name another node with --url, or configure one with `solana config set --url`."
        }
        ClientError::NoAccount { .. } => "Check the address, and that --url names the right cluster.",
        ClientError::WrongAccount { .. } => "Check the address: it is that of something else.",
        ClientError::Rejected(rejection) => return of_rejection(&rejection.name, &rejection.message),
        ClientError::Refused(error) => return of_rejection(&Some(error.name()), ""),
        _ => return None,
    };
    Some(hint.into())
}

fn of_rejection(name: &Option<String>, message: &str) -> Option<String> {
    let hint = match name.as_deref() {
        Some("Unhealthy" | "NoSuchCollateral" | "NoSuchDebt" | "InsufficientCollateral" | "VaultNotEmpty") => {
            "`keel vault health` shows what the vault holds, owes and may still borrow."
        }
        Some("Paused") => "`keel market show` says what is paused and until when.",
        Some("DepositCapExceeded" | "BorrowCapExceeded" | "OutflowLimitExceeded" | "InsufficientLiquidity") => {
            "`keel reserve show ASSET` shows how much fits and how much may leave."
        }
        Some(name) if name.starts_with("Price") => {
            "`keel reserve show ASSET` shows the age of every price. Prices are posted by others; try again in a moment."
        }
        Some("NotGovernance") => {
            "Governance signs this. If it is a DAO, `--print-instruction` prints what to put into a proposal."
        }
        Some("NotPauser") => {
            "`keel market show` says who governance and guardian are, and when the guardian may pause again."
        }
        Some(_) => return None,
        None if message.contains("insufficient lamports") || message.contains("find record of a prior credit") => {
            "The signer has too little SOL for this transaction."
        }
        None if message.contains("insufficient funds") => "The signer's token account holds too little.",
        None => return None,
    };
    Some(hint.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use keel_client::keel::KeelError;

    #[test]
    fn refusals_say_where_to_look() {
        let of = |error: KeelError| hint(&anyhow::Error::new(ClientError::Refused(error)));
        assert!(of(KeelError::Unhealthy).unwrap().contains("keel vault health"));
        assert!(of(KeelError::PriceStale).unwrap().contains("keel reserve show"));
        assert!(of(KeelError::Overflow).is_none());
        assert!(hint(&BadInput::error("x")).is_none());
        let unreachable = ClientError::Unreachable { endpoint: "http://x".into(), reason: "refused".into() };
        assert!(hint(&unreachable.into()).unwrap().contains("--url"));
    }
}
