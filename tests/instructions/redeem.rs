//! `redeem`.

use crate::minted::{redeem, *};
use crate::support::*;
use anchor_lang::error::ErrorCode;
use anchor_spl::token::spl_token::error::TokenError;
use keel::AmountSpec::{All, Exact};
use keel::KeelError;
use keel::events::Redeemed;
use keel::state::Side;
use keel_client::instruction::{self, Liquidation};
use keel_risk::Fraction;
use keel_tests::check::{Refusal, keys, only_event};
use keel_tests::world::User;
use keel_tests::{AssetSpec, Chain};
use solana_instruction::Instruction;

/// A vault with 100 SOL that owes 12,000 tokens, and somebody who holds 5,000 others. At 0.98 * 0.85 = 0.833 the vault's
/// limit is 83.3 times the price of SOL: it may be redeemed from below 172.8691 dollars.
struct Case {
    w: Bank,
    borrower: User,
    redeemer: User,
}

impl Case {
    /// SOL now costs `cents`.
    fn at(cents: i64) -> Self {
        let (mut w, _, borrower) = minting();
        w.borrow(&borrower, KUSD, 12_000_000_000).unwrap();
        let redeemer = holder(&mut w, 5_000_000_000);
        w.set_price(SOL, cents);
        Self { w, borrower, redeemer }
    }

    fn build(&mut self, max_repay: u64) -> Instruction {
        redeem(&mut self.w, &self.redeemer.key(), &self.borrower.vault, SOL, max_repay)
    }

    fn redeem(&mut self, max_repay: u64) -> Redeemed {
        let instruction = self.build(max_repay);
        only_event(&self.w.send(instruction, &self.redeemer.keypair).unwrap())
    }

    #[track_caller]
    fn refuse(&mut self, max_repay: u64, expected: impl Into<Refusal>) {
        let instruction = self.build(max_repay);
        self.w.refuse(&instruction, &[&self.redeemer.keypair], expected);
    }

    /// What the vault owes in tokens and holds in SOL.
    fn position(&mut self) -> (u64, u64) {
        let vault = self.w.vault(&self.borrower.vault);
        let (sol, kusd) = (self.w.reserve(SOL).pool(), self.w.reserve(KUSD).pool());
        let owed = kusd.debt_index.amount_owed(vault.debt_or_zero(&self.w.assets[KUSD].reserve)).unwrap();
        let held = sol.supply_index.amount_of(vault.collateral_or_zero(&self.w.assets[SOL].reserve)).unwrap();
        (owed.0, held.0)
    }
}

fn number(bits: u128) -> f64 {
    bits as f64 / (1u64 << 60) as f64
}

/// 170 of 17,000 tokens: a hundredth, which raises the fee of 0.5 % by 1 %, and is paid at the middle of the rise. SOL
/// counts at 170.085 dollars, one confidence interval above the price: 170 * 0.99 / 170.085, and 170 * 0.995 / 170.085 with
/// the half of the fee that becomes insurance.
#[test]
fn effects_pays_a_dollar_of_collateral_less_the_fee() {
    let mut c = Case::at(170_00);
    let instruction = c.build(170_000_000);
    let before = c.w.snapshot(&[&c.borrower, &c.redeemer]);
    let receipt = c.w.send(instruction, &c.redeemer.keypair).unwrap();

    let redeemer = c.redeemer.key();
    let changed = [
        c.borrower.vault,
        c.w.assets[SOL].reserve,
        c.w.assets[KUSD].reserve,
        c.w.assets[KUSD].mint,
        c.w.liquidity_key(SOL),
        c.w.token_account(&redeemer, SOL),
        c.w.token_account(&redeemer, KUSD),
    ];
    assert_eq!(before.changed(&mut c.w), keys(changed));
    let (repaid, seized, paid) = (170_000_000, 994_502_748, 989_505_247);
    assert_eq!((c.w.balance(&redeemer, KUSD), c.w.balance(&redeemer, SOL)), (5_000_000_000 - repaid, paid));
    assert_eq!(c.position(), (12_000_000_000 - repaid, 100_000_000_000 - seized));
    assert_eq!(supply(&mut c.w), 17_000_000_000 - repaid);
    // Half of the fee is the insurance of SOL's, the other half the owner's; nothing is surplus of the token.
    assert_eq!(c.w.reserve(SOL).pool().insurance_shares.0, Fraction::from_integer(seized - paid));
    assert_eq!(surplus_and_deficit(&mut c.w).1, 0);
    let now = c.w.chain.clock().unix_timestamp - 1;
    let minted = c.w.reserve(KUSD).minted;
    assert_eq!(minted.redemption_at, now);
    assert!((number(minted.redemption_base.get()) - 0.01).abs() < 1e-15);
    assert_eq!(c.w.reserve(SOL).last_prices[0].publish_time, now);
    assert_reconciled(&mut c.w);

    let event: Redeemed = only_event(&receipt);
    assert_eq!((event.vault, event.redeemer), (c.borrower.vault, redeemer));
    assert_eq!(event.collateral_reserve, c.w.assets[SOL].reserve);
    assert_eq!((event.repaid, event.seized, event.paid), (repaid, seized, paid));
    assert!((number(event.fee) - 0.01).abs() < 1e-15, "{}", number(event.fee));
    assert!((number(event.health_before) - 83.3 * 170.0 / 12_000.0).abs() < 1e-12);
    assert!((number(event.health_after) - 0.833 * 170.0 * (100.0 - 0.994502748) / 11_830.0).abs() < 1e-12);
    assert!(event.health_after > event.health_before);
}

/// The average may be worse for the redeemer than the price: 172 + 1 dollars.
#[test]
fn effects_collateral_counts_at_its_higher_price() {
    let mut c = Case::at(170_00);
    let mut price = c.w.observation(170_00);
    (price.ema_price, price.ema_confidence) = (172_0000_0000, 1_0000_0000);
    c.w.post(SOL, 0, &price);
    let event = c.redeem(170_000_000);
    assert_eq!(event.paid, 972_832_369); // 168.3 / 173
    // Liquidations and the health of the vault go by the price itself.
    assert!((number(event.health_before) - 83.3 * 170.0 / 12_000.0).abs() < 1e-12);
}

/// What was redeemed raises the fee for all who come after, and half of that is gone after 12 hours.
#[test]
fn effects_the_fee_rises_with_volume_and_halves_with_time() {
    let mut c = Case::at(150_00);
    let near = |event: Redeemed, fee: f64| assert!((number(event.fee) - fee).abs() < 1e-6, "{}", number(event.fee));
    near(c.redeem(170_000_000), 0.005 + 0.01 / 2.0);
    let second = 170.0 / 16_830.0;
    near(c.redeem(170_000_000), 0.005 + 0.01 + second / 2.0);
    let base = 0.01 + second;
    near(c.redeem(1_000_000), 0.005 + base + 0.5 / 16_660.0);
    let base = base + 1.0 / 16_660.0;
    for halvings in [1, 2] {
        c.w.pass(43_200);
        c.w.refresh_prices();
        near(c.redeem(10_000), 0.005 + base / f64::from(1 << halvings));
    }
    // Never more than 5 %, and never less than 0.5 %: from below 1 % to above 5 % and on, as one would pay it in many parts.
    let start = 0.005 + base / 4.0;
    let rise = 2_000e6 / supply(&mut c.w) as f64;
    near(c.redeem(2_000_000_000), 0.05 - (0.05 - start).powi(2) / (2.0 * rise));
    near(c.redeem(10_000), 0.05);
    c.w.pass(60 * 86_400);
    c.w.refresh_prices();
    near(c.redeem(10_000), 0.005);
    assert_reconciled(&mut c.w);
}

/// With interest: the debt falls by exactly what was burned, at the accrued index.
#[test]
fn effects_the_debt_falls_by_as_much() {
    let mut c = Case::at(170_00);
    c.w.pass(30 * 86_400);
    c.w.refresh_prices();
    accrue(&mut c.w);
    let owed = c.position().0;
    assert!(((owed as f64 / 12e9).ln() - 0.05 * 30.0 / 365.0).abs() < 1e-8, "{owed}");
    let event = c.redeem(1_234_567_891);
    assert_eq!(event.repaid, 1_234_567_891);
    let left = owed - c.position().0;
    assert!((1_234_567_890..=1_234_567_891).contains(&left), "{left}");
    assert!(event.health_after > event.health_before);
    assert_reconciled(&mut c.w);
}

/// HF = 83.3 * 172.87 / 12,000 = 1.200006.
#[test]
fn rejects_vaults_at_and_above_the_threshold() {
    for cents in [200_00, 172_87] {
        Case::at(cents).refuse(170_000_000, KeelError::NotRedeemable);
    }
    Case::at(172_86).redeem(170_000_000);
}

#[test]
fn rejects_redemptions_that_are_switched_off() {
    let mut c = Case::at(130_00);
    c.w.configure(KUSD, |config| config.minted.redemption_max_health_bps = 0).unwrap();
    c.refuse(170_000_000, KeelError::NotRedeemable);
    // Under a threshold of 1 only what could be liquidated, too: HF = 0.9024.
    c.w.configure(KUSD, |config| config.minted.redemption_max_health_bps = 9_024).unwrap();
    c.refuse(170_000_000, KeelError::NotRedeemable);
    c.w.configure(KUSD, |config| config.minted.redemption_max_health_bps = 9_025).unwrap();
    c.redeem(170_000_000);
}

/// A vault may be redeemed from while it could be liquidated, as long as that raises its health: a dollar of SOL carries
/// 0.833 dollars, and takes 0.995 / 1.0005 of that with it, 0.82842.
#[test]
fn effects_of_an_unhealthy_vault() {
    for (cents, health) in [(140_00, 0.971_833), (119_50, 0.829_529)] {
        let mut c = Case::at(cents);
        let event = c.redeem(170_000_000);
        assert!((number(event.health_before) - health).abs() < 1e-6 && event.health_after > event.health_before);
    }
    for cents in [119_00, 90_00] {
        Case::at(cents).refuse(170_000_000, KeelError::HealthNotRaised);
    }
}

#[test]
fn rejects_pooled_debt() {
    let mut c = Case::at(200_00);
    c.w.borrow(&c.borrower, USDC, 2_000_000_000).unwrap();
    c.w.set_price(SOL, 170_00);
    c.w.fund(&c.redeemer.key(), USDC, 1_000_000_000);
    let terms = Liquidation {
        keeper: c.redeemer.key(),
        vault: c.borrower.vault,
        debt_reserve: c.w.assets[USDC].reserve,
        collateral_reserve: c.w.assets[SOL].reserve,
        max_repay: 1_000_000_000,
        min_seize: 0,
    };
    let vault = c.w.vault(&c.borrower.vault);
    let pooled = instruction::redeem(&c.w.book, &vault, &terms).unwrap();
    c.w.refuse(&pooled, &[&c.redeemer.keypair], KeelError::WrongReserveKind);
    // The pooled debt counts all the same: HF = 14,161 / 14,000.
    let event = c.redeem(170_000_000);
    assert!((number(event.health_before) - 83.3 * 170.0 / 14_000.0).abs() < 1e-4);
}

#[test]
fn rejects_a_part_of_a_small_debt() {
    let mut c = Case::at(200_00);
    let small = c.w.supplier(SOL, 100_000_000);
    c.w.fund(&small.key(), KUSD, 0);
    c.w.borrow(&small, KUSD, 12_000_000).unwrap();
    c.w.repay(&small, KUSD, Exact(3_000_000)).unwrap();
    // 0.1 SOL at 125 dollars against 9: HF = 1.157.
    c.w.set_price(SOL, 125_00);
    c.borrower = small;
    for part in [1_000_000, 8_999_999] {
        c.refuse(part, KeelError::PartOfSmallPosition);
    }
    let event = c.redeem(u64::MAX);
    assert_eq!((event.repaid, event.health_after), (9_000_000, u128::MAX));
    assert!(!c.w.vault(&c.borrower.vault).has(Side::Debt));
    assert_reconciled(&mut c.w);
}

/// A part of a larger debt leaves the minimum position, 10 dollars, or nothing.
#[test]
fn effects_leaves_no_dust() {
    for (tokens, left) in [(11_990_000_000, 10_000_000), (11_999_000_000, 10_000_000), (12_000_000_000, 0)] {
        let mut c = Case::at(200_00);
        c.redeemer = holder(&mut c.w, 12_000_000_000);
        c.w.set_price(SOL, 170_00);
        let event = c.redeem(tokens);
        let owed = c.position().0;
        assert_eq!(event.repaid, 12_000_000_000 - owed);
        // A unit of the token is worth a little less than a millionth of a dollar.
        assert!(owed == left || owed == left + 1 && left > 0, "{owed}");
    }
}

/// Another collateral of 1,000 dollars, of which 400 are lent out: no more than there is can be redeemed.
#[test]
fn effects_takes_no_more_than_the_position_and_what_is_liquid() {
    let mut c = Case::at(200_00);
    let dai = c.w.list(&AssetSpec::usdc());
    c.w.fund(&c.borrower.key(), dai, 1_000_000_000);
    c.w.deposit(&c.borrower, dai, All).unwrap();
    c.w.fund(&c.redeemer.key(), dai, 0);
    c.w.borrow(&c.redeemer, dai, 400_000_000).unwrap();
    // 83.3 * 155 + 833: HF = 1.145.
    c.w.set_price(SOL, 155_00);
    let all = |c: &mut Case| redeem(&mut c.w, &c.redeemer.key(), &c.borrower.vault, dai, 5_000_000_000);
    let first = all(&mut c);
    let event: Redeemed = only_event(&c.w.send(first, &c.redeemer.keypair).unwrap());
    let insured = event.seized - event.paid;
    assert!((599_999_998..=600_000_000).contains(&event.paid), "{}", event.paid);
    // At 1.0005 dollars, and the fee of what is redeemed of 17,000 and not of the 5,000 offered: R (0.995 - R / 34,000).
    let exact = 17_000.0 * (0.995 - (0.995f64.powi(2) - 2.0 * 600.0 * 1.0005 / 17_000.0).sqrt());
    assert!((event.repaid as f64 / 1e6 - exact).abs() < 1e-5, "{} {exact}", event.repaid);
    assert!((number(event.fee) - (0.005 + exact / 34_000.0)).abs() < 1e-9, "{}", number(event.fee));
    let nothing_liquid = all(&mut c);
    c.w.refuse(&nothing_liquid, &[&c.redeemer.keypair], KeelError::NothingToSeize);
    c.w.repay(&c.redeemer, dai, All).unwrap();
    let second = all(&mut c);
    let event: Redeemed = only_event(&c.w.send(second, &c.redeemer.keypair).unwrap());
    // All that the first left of 1,000. What remains in the reserve is the insurance's half of both fees.
    assert!((400_000_000 - insured - 2..=400_000_000 - insured).contains(&event.seized), "{}", event.seized);
    let half = event.repaid as f64 / 1.0005 * number(event.fee) / 2.0;
    assert!(((event.seized - event.paid) as f64 - half).abs() < 2.0, "{} {half}", event.seized - event.paid);
    let insured = insured + event.seized - event.paid;
    assert!((insured..=insured + 2).contains(&c.w.liquidity(dai)), "{insured} {}", c.w.liquidity(dai));
    assert_reconciled(&mut c.w);
}

/// A debt that counts against an isolated collateral, which its owner exchanged for SOL since: a redemption releases what it
/// repays, and needs the isolated reserve to be written for it.
#[test]
fn effects_releases_an_isolated_ceiling() {
    let (mut w, ..) = minting();
    let mut meme = AssetSpec::new(6, 10_00);
    meme.config.limits.isolated_debt_ceiling = u64::MAX;
    let meme = w.list(&meme);
    let borrower = w.supplier(meme, 10_000_000_000);
    w.fund(&borrower.key(), KUSD, 0);
    w.borrow(&borrower, KUSD, 12_000_000_000).unwrap();
    w.fund(&borrower.key(), SOL, 100_000_000_000);
    w.deposit(&borrower, SOL, All).unwrap();
    w.fund(&borrower.key(), meme, 0);
    w.withdraw(&borrower, meme, All).unwrap();
    let redeemer = holder(&mut w, 5_000_000_000);
    w.set_price(SOL, 170_00);
    let mut c = Case { w, borrower, redeemer };
    let counted = |c: &mut Case| {
        let (kusd, vault) = (c.w.assets[KUSD].reserve, c.w.vault(&c.borrower.vault));
        (c.w.reserve(meme).isolated_debt, vault.find(&kusd).unwrap().isolated_debt)
    };
    // A dollar each, one for the rounding.
    assert_eq!(counted(&mut c), (12_000_000_001, 12_000_000_001));
    let redeem = c.build(3_000_000_000);
    let signer = c.redeemer.keypair.insecure_clone();
    let last = redeem.accounts.len() - 1;
    assert_eq!(redeem.accounts[last].pubkey, c.w.assets[meme].reserve);
    for wrong in [truncated(&redeem, last), read_only(&redeem, last)] {
        c.w.refuse(&wrong, &[&signer], KeelError::MissingAccount);
    }
    c.w.send(redeem, &signer).unwrap();
    let (ceiling, of_debt) = counted(&mut c);
    assert_eq!(ceiling, of_debt);
    assert!(of_debt.abs_diff(9_000_000_000) < 2, "{of_debt}");
}

#[test]
fn rejects_less_than_the_minimum() {
    let mut c = Case::at(170_00);
    let terms = |c: &Case, min_seize| Liquidation {
        keeper: c.redeemer.key(),
        vault: c.borrower.vault,
        debt_reserve: c.w.assets[KUSD].reserve,
        collateral_reserve: c.w.assets[SOL].reserve,
        max_repay: 170_000_000,
        min_seize,
    };
    settle_tokens(&mut c.w);
    let vault = c.w.vault(&c.borrower.vault);
    for min_seize in [989_505_248, u64::MAX] {
        let redeem = instruction::redeem(&c.w.book, &vault, &terms(&c, min_seize)).unwrap();
        c.w.refuse(&redeem, &[&c.redeemer.keypair], KeelError::OutputTooSmall);
    }
    let redeem = instruction::redeem(&c.w.book, &vault, &terms(&c, 989_505_247)).unwrap();
    c.w.send(redeem, &c.redeemer.keypair).unwrap();
}

/// Unlike what a liquidation takes out.
#[test]
fn rejects_more_than_the_collateral_reserve_lets_out() {
    let mut c = Case::at(170_00);
    c.w.configure(SOL, |config| config.limits.daily_outflow = 989_505_247).unwrap();
    c.refuse(170_001_000, KeelError::OutflowLimitExceeded);
    c.redeem(170_000_000);
    c.refuse(1_000_000, KeelError::OutflowLimitExceeded);
    c.w.pass(86_400);
    c.w.refresh_prices();
    c.redeem(1_000_000);
}

#[test]
fn rejects_nothing_and_tokens_that_the_redeemer_does_not_have() {
    let mut c = Case::at(170_00);
    c.refuse(0, KeelError::NothingToSeize);
    c.refuse(5_000_000_001, TokenError::InsufficientFunds);
    c.redeem(5_000_000_000);
}

#[test]
fn rejects_unusable_prices_of_the_collateral() {
    let mut c = Case::at(170_00);
    c.w.pass(120);
    // As for new risk: within less time and with more confidence than in a liquidation.
    for demand in [NEW_RISK, LIQUIDATION] {
        for reason in UNUSABLE {
            spoil(&mut c.w, SOL, 0, reason, demand);
            c.refuse(170_000_000, reason);
            restore(&mut c.w);
        }
    }
    c.redeem(170_000_000);
}

/// A feed of another position may be as old as in a liquidation.
#[test]
fn rejects_unusable_prices_of_other_positions() {
    let mut c = Case::at(170_00);
    let other = c.w.list(&AssetSpec::usdc());
    c.w.fund(&c.borrower.key(), other, 20_000_000);
    c.w.deposit(&c.borrower, other, All).unwrap();
    for reason in UNUSABLE {
        spoil(&mut c.w, other, 0, reason, LIQUIDATION);
        c.refuse(170_000_000, reason);
        restore(&mut c.w);
    }
    c.w.pass(120);
    spoil(&mut c.w, other, 0, KeelError::PriceStale, NEW_RISK);
    c.redeem(170_000_000);
}

#[test]
fn rejects_diverging_feeds_of_the_collateral() {
    let mut c = Case::at(200_00);
    let other = c.w.list(&AssetSpec { feeds: 2, ..AssetSpec::new(6, 1_00) });
    c.w.fund(&c.borrower.key(), other, 500_000_000);
    c.w.deposit(&c.borrower, other, All).unwrap();
    c.w.fund(&c.redeemer.key(), other, 0);
    c.w.set_price(SOL, 160_00);
    let mut high = c.w.observation(1_00);
    (high.price, high.ema_price) = (1_0300_0001, 1_0300_0001);
    c.w.post(other, 1, &high);
    let redemption = redeem(&mut c.w, &c.redeemer.key(), &c.borrower.vault, other, 170_000_000);
    c.w.refuse(&redemption, &[&c.redeemer.keypair], KeelError::PriceDivergence);
    (high.price, high.ema_price) = (1_0299_9999, 1_0299_9999);
    c.w.post(other, 1, &high);
    // Of two that agree the higher counts, a confidence interval of half a tenth of a percent above it: 168.3 / 1.0305.
    let receipt = c.w.send(redemption, &c.redeemer.keypair).unwrap();
    let event: Redeemed = only_event(&receipt);
    assert!((event.paid as f64 / 1e6 - 168.3 / 1.0305).abs() < 1e-4, "{}", event.paid);
}

#[test]
fn rejects_the_slots_after_a_cluster_restart() {
    let mut c = Case::at(170_00);
    c.w.pass(400);
    let slot = c.w.chain.clock().slot;
    c.w.chain.set_last_restart_slot(slot - 99);
    c.w.refresh_prices();
    c.refuse(170_000_000, KeelError::RestartGracePeriod);
    c.w.chain.set_last_restart_slot(slot - 100);
    c.redeem(170_000_000);
}

#[test]
fn rejects_an_insolvent_vault() {
    let mut c = Case::at(170_00);
    mark_insolvent(&mut c.w, &c.borrower);
    c.refuse(170_000_000, KeelError::VaultInsolvent);
}

#[test]
fn rejects_positions_that_the_vault_does_not_have() {
    let mut c = Case::at(170_00);
    let other = c.w.list(&AssetSpec::usdc());
    c.w.fund(&c.redeemer.key(), other, 0);
    let no_collateral = redeem(&mut c.w, &c.redeemer.key(), &c.borrower.vault, other, 170_000_000);
    c.w.refuse(&no_collateral, &[&c.redeemer.keypair], KeelError::NoSuchCollateral);
    let debtless = c.w.supplier(SOL, 1_000_000_000);
    let no_debt = redeem(&mut c.w, &c.redeemer.key(), &debtless.vault, SOL, 170_000_000);
    c.w.refuse(&no_debt, &[&c.redeemer.keypair], KeelError::NoSuchDebt);
}

/// The accounts are those of `liquidate`, whose tests exchange each of them: here those that are a minted reserve's.
#[test]
fn rejects_wrong_accounts() {
    const VAULT: usize = 2;
    const DEBT_RESERVE: usize = 3;
    const DEBT_LIQUIDITY: usize = 5;
    const KEEPER_DEBT: usize = 7;
    const DEBT_MINT: usize = 9;
    const DEBT_TOKEN_PROGRAM: usize = 11;
    let mut c = Case::at(170_00);
    let valid = c.build(170_000_000);
    let signer = c.redeemer.keypair.insecure_clone();
    let elsewhere = other_market(&mut c.w, SOL, &c.borrower);
    let (usdc_mint, usdc_liquidity) = (c.w.assets[USDC].mint, c.w.liquidity_key(USDC));
    let borrowers = c.w.token_account(&c.borrower.key(), KUSD);
    let cases: [(&str, usize, _, Refusal); 7] = [
        ("vault of another market", VAULT, elsewhere.vault, KeelError::WrongMarket.into()),
        ("reserve of another market", DEBT_RESERVE, elsewhere.reserve, KeelError::WrongMarket.into()),
        ("no mint as liquidity", DEBT_LIQUIDITY, usdc_liquidity, KeelError::WrongLiquidityAccount.into()),
        ("another mint as liquidity", DEBT_LIQUIDITY, usdc_mint, KeelError::WrongLiquidityAccount.into()),
        ("another mint", DEBT_MINT, usdc_mint, KeelError::WrongMint.into()),
        (
            "another token program",
            DEBT_TOKEN_PROGRAM,
            keel_client::token::TOKEN_2022_PROGRAM,
            KeelError::WrongTokenProgram.into(),
        ),
        ("tokens of others", KEEPER_DEBT, borrowers, TokenError::OwnerMismatch.into()),
    ];
    for (case, index, key, expected) in cases {
        c.w.refuse_case(case, &with_account(&valid, index, key), &[&signer], expected);
    }
    c.w.refuse(&read_only(&valid, DEBT_LIQUIDITY), &[&signer], ErrorCode::ConstraintMut);
    c.w.send(valid, &signer).unwrap();
}
