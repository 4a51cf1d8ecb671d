//! Where signatures come from: keypair files, the standard input, seed phrases, hardware wallets. As in Solana's own
//! command line.

use crate::BadInput;
use anyhow::{Context, Result, anyhow};
use solana_derivation_path::DerivationPath;
use solana_keypair::seed_derivable::keypair_from_seed_and_derivation_path;
use solana_keypair::{keypair_from_seed, read_keypair, read_keypair_file};
use solana_remote_wallet::locator::Locator;
use solana_remote_wallet::remote_keypair::generate_remote_keypair;
use solana_remote_wallet::remote_wallet::{RemoteWalletManager, maybe_wallet_manager};
use solana_seed_phrase::generate_seed_from_seed_phrase_and_passphrase;
use solana_signer::Signer;
use std::rc::Rc;
use uriparse::URIReference;

/// What a source of signatures is.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    /// A file of 64 numbers.
    File(String),
    /// The same on the standard input.
    Stdin,
    /// A seed phrase that is asked for; without a path the keypair is the seed's first half.
    SeedPhrase(Option<DerivationPath>),
    /// A hardware wallet.
    Wallet(Locator, DerivationPath),
}

/// Finds the signer that `source` names. May ask the user.
pub fn load(source: &str) -> Result<Box<dyn Signer>> {
    Ok(match parse(source)? {
        Source::File(path) => {
            let keypair = read_keypair_file(&path).map_err(|error| {
                BadInput::error(format!(
                    "cannot read the keypair {path}: {error}; create one with `solana-keygen new`, or name another with \
                     --keypair"
                ))
            })?;
            Box::new(keypair)
        }
        Source::Stdin => {
            let keypair = read_keypair(&mut std::io::stdin());
            Box::new(keypair.map_err(|error| BadInput::error(format!("no keypair on the standard input: {error}")))?)
        }
        Source::SeedPhrase(path) => from_seed_phrase(path)?,
        Source::Wallet(locator, path) => {
            let manager =
                wallets()?.context("no hardware wallet was found; connect it, unlock it, open its Solana app")?;
            let keypair = generate_remote_keypair(locator, path, &manager, false, "keypair");
            Box::new(keypair.map_err(|error| anyhow!("{error}: connect the wallet, unlock it, open its Solana app"))?)
        }
    })
}

/// The hardware wallets that are connected.
fn wallets() -> Result<Option<Rc<RemoteWalletManager>>> {
    // Where there is no USB at all, as in a container, the library that looks for Trezors panics.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let found = std::panic::catch_unwind(maybe_wallet_manager);
    std::panic::set_hook(hook);
    let found = found.map_err(|_| anyhow!("cannot look for hardware wallets: this machine lets nobody use USB"))?;
    found.context("cannot look for hardware wallets")
}

fn parse(source: &str) -> Result<Source> {
    let wrong = |why: String| BadInput::error(format!("{source:?} is no source of signatures: {why}"));
    match source {
        "-" => return Ok(Source::Stdin),
        "ASK" => return Ok(Source::SeedPhrase(None)),
        _ => {}
    }
    // Not every file name is a URI.
    let Ok(uri) = URIReference::try_from(source) else { return Ok(Source::File(source.into())) };
    let Some(scheme) = uri.scheme() else { return Ok(Source::File(source.into())) };
    match scheme.as_str().to_ascii_lowercase().as_str() {
        "stdin" => Ok(Source::Stdin),
        "file" => Ok(Source::File(uri.path().to_string())),
        "prompt" => {
            let path = DerivationPath::from_uri_any_query(&uri).map_err(|error| wrong(error.to_string()))?;
            Ok(Source::SeedPhrase(Some(path.unwrap_or_default())))
        }
        "usb" => {
            let locator = Locator::new_from_uri(&uri).map_err(|error| wrong(error.to_string()))?;
            let path = DerivationPath::from_uri_key_query(&uri).map_err(|error| wrong(error.to_string()))?;
            Ok(Source::Wallet(locator, path.unwrap_or_default()))
        }
        other => Err(wrong(format!("{other}: is not one of file:, stdin:, prompt: and usb:"))),
    }
}

fn from_seed_phrase(path: Option<DerivationPath>) -> Result<Box<dyn Signer>> {
    let ask = |prompt: &str, empty: bool| {
        let answer = dialoguer::Password::new().with_prompt(prompt).allow_empty_password(empty).interact();
        answer.context("cannot ask for the seed phrase: there is no terminal")
    };
    let phrase = ask("Seed phrase", false)?;
    let phrase = phrase.split_whitespace().collect::<Vec<_>>().join(" ");
    let passphrase = ask("Passphrase, if it has one", true)?;
    let seed = generate_seed_from_seed_phrase_and_passphrase(&phrase, &passphrase);
    let keypair = match path {
        None => keypair_from_seed(&seed),
        Some(path) => keypair_from_seed_and_derivation_path(&seed, Some(path)),
    };
    let keypair = keypair.map_err(|error| BadInput::error(format!("no keypair follows from that: {error}")))?;
    // A phrase with a wrong word gives a keypair too: whoever knows the address sees it here.
    eprintln!("Signing as {}.", keypair.pubkey());
    Ok(Box::new(keypair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_those_of_the_solana_command_line() {
        let file = |path: &str| Source::File(path.into());
        assert_eq!(parse("/a/id.json").unwrap(), file("/a/id.json"));
        assert_eq!(parse("a b.json").unwrap(), file("a b.json"));
        assert_eq!(parse("file:/a/id.json").unwrap(), file("/a/id.json"));
        assert_eq!((parse("-").unwrap(), parse("stdin:").unwrap()), (Source::Stdin, Source::Stdin));
        assert_eq!(parse("ASK").unwrap(), Source::SeedPhrase(None));
        let path = DerivationPath::new_bip44(Some(1), Some(0));
        assert_eq!(parse("prompt:?key=1/0").unwrap(), Source::SeedPhrase(Some(path.clone())));
        let Source::Wallet(_, found) = parse("usb://ledger?key=1/0").unwrap() else { panic!() };
        assert_eq!(found, path);
    }

    #[test]
    fn what_is_no_source_says_why() {
        for (source, why) in
            [("ftp://x", "ftp: is not one of"), ("usb://toaster", "toaster"), ("usb://ledger?key=x", "")]
        {
            let error = parse(source).unwrap_err();
            assert!(error.is::<BadInput>() && error.to_string().contains(why), "{source}: {error}");
        }
        let Err(error) = load("/no/such.json") else { panic!() };
        assert!(error.to_string().contains("solana-keygen new"), "{error}");
    }

    /// The vector of `solana-keygen pubkey prompt:` with the phrase of twelve words that everybody knows.
    #[test]
    fn a_seed_phrase_gives_the_known_address() {
        let phrase = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
        let seed = generate_seed_from_seed_phrase_and_passphrase(phrase, "");
        let keypair = keypair_from_seed_and_derivation_path(&seed, Some(DerivationPath::new_bip44(Some(0), Some(0))));
        assert_eq!(keypair.unwrap().pubkey().to_string(), "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk");
    }
}
