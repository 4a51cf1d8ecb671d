//! Collateral that backs its own debt ceiling only, and debts that stand alone.

use crate::support::*;
use keel::AmountSpec::{self, All, Exact};
use keel::KeelError;
use keel_client::address;
use keel_client::instruction::{self, Actor, Liquidation};
use keel_tests::world::{User, refused};
use keel_tests::{AssetSpec, Chain, Failure, Receipt};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// The isolated asset of [`isolated`]: 10 dollars each, six decimals.
const MEME: usize = 2;

/// Borrowed at 1.0005 dollars, 1,000 USDC count as so many millionths of a dollar. One is for the rounding.
const THOUSAND: u64 = 1_000_500_001;

/// [`lent`] with an isolated asset that backs `ceiling` millionths of a dollar, and a user with 1,000 of it.
fn isolated(ceiling: u64) -> (Bank, User, User) {
    let (mut w, _, borrower) = lent();
    let mut meme = AssetSpec::new(6, 10_00);
    meme.config.limits.isolated_debt_ceiling = ceiling;
    assert_eq!(w.list(&meme), MEME);
    let user = holder(&mut w, 1_000);
    (w, user, borrower)
}

/// A user with so many whole tokens of the isolated asset as collateral, and empty accounts for the others.
fn holder(w: &mut Bank, tokens: u64) -> User {
    let user = w.supplier(MEME, w.assets[MEME].whole(tokens));
    (0..w.assets.len()).for_each(|asset| w.fund(&user.key(), asset, 0));
    user
}

fn give(w: &mut Bank, user: &User, asset: usize, amount: u64) {
    w.fund(&user.key(), asset, amount);
    w.deposit(user, asset, Exact(amount)).unwrap();
}

/// What is counted against the ceiling, and what the debt of a user in an asset has of it.
fn counted(w: &mut Bank, user: &User, asset: usize) -> (u64, u64) {
    let (vault, reserve) = (w.vault(&user.vault), w.assets[asset].reserve);
    (w.reserve(MEME).isolated_debt, vault.find(&reserve).map_or(0, |position| position.isolated_debt))
}

/// `user` repays for the vault of `owner`.
fn repay_for(w: &mut Bank, user: &User, owner: &User, asset: usize, amount: AmountSpec) -> Instruction {
    let (vault, reserve) = (w.vault(&owner.vault), w.assets[asset].reserve);
    let actor = Actor::new(&w.book, user.key(), owner.vault, reserve).unwrap();
    instruction::repay(&w.book, &vault, &actor, amount).unwrap()
}

#[test]
fn isolated_collateral_comes_into_an_empty_vault_only() {
    let (mut w, user, borrower) = isolated(u64::MAX);
    w.fund(&borrower.key(), MEME, 2_000_000);
    refused(w.deposit(&borrower, MEME, Exact(1)), KeelError::IsolatedCollateralMixed);
    w.borrow(&borrower, USDC, 100_000_000).unwrap();
    refused(w.deposit(&borrower, MEME, All), KeelError::IsolatedCollateralMixed);
    w.repay(&borrower, USDC, All).unwrap();
    w.withdraw(&borrower, SOL, Exact(99_999_999_999)).unwrap();
    refused(w.deposit(&borrower, MEME, All), KeelError::IsolatedCollateralMixed);
    w.withdraw(&borrower, SOL, All).unwrap();
    w.deposit(&borrower, MEME, Exact(1_000_000)).unwrap();
    // More of it may follow, in debt or not, and beside others that came later.
    w.deposit(&borrower, MEME, Exact(500_000)).unwrap();
    give(&mut w, &borrower, SOL, 1);
    w.deposit(&borrower, MEME, All).unwrap();
    w.borrow(&user, USDC, 100_000_000).unwrap();
    give(&mut w, &user, MEME, 1);
}

/// Other collateral may be added, but while it is there nothing is borrowed, not even what it would carry alone.
#[test]
fn nothing_is_borrowed_against_a_mixture() {
    let (mut w, user, _) = isolated(u64::MAX);
    give(&mut w, &user, SOL, 100_000_000_000);
    refused(w.borrow(&user, USDC, 10_000_000), KeelError::IsolatedCollateralMixed);
    w.withdraw(&user, MEME, Exact(999_999_999)).unwrap();
    refused(w.borrow(&user, USDC, 10_000_000), KeelError::IsolatedCollateralMixed);
    // Without the one or without the other.
    w.withdraw(&user, MEME, All).unwrap();
    w.borrow(&user, USDC, 10_000_000).unwrap();
    assert_eq!(counted(&mut w, &user, USDC), (0, 0));
    let (mut w, user, _) = isolated(u64::MAX);
    give(&mut w, &user, SOL, 100_000_000_000);
    w.withdraw(&user, SOL, All).unwrap();
    w.borrow(&user, USDC, 1_000_000_000).unwrap();
    assert_eq!(counted(&mut w, &user, USDC), (THOUSAND, THOUSAND));
}

/// The ceiling is on dollars at the price of new risk, rounded up.
#[test]
fn the_ceiling_is_exact() {
    let (mut w, user, _) = isolated(THOUSAND - 1);
    refused(w.borrow(&user, USDC, 1_000_000_000), KeelError::IsolatedDebtCeilingExceeded);
    assert_eq!(counted(&mut w, &user, USDC), (0, 0));
    w.borrow(&user, USDC, 999_999_999).unwrap();
    let (mut w, user, _) = isolated(THOUSAND);
    refused(w.borrow(&user, USDC, 1_000_000_001), KeelError::IsolatedDebtCeilingExceeded);
    w.borrow(&user, USDC, 1_000_000_000).unwrap();
    assert_eq!(counted(&mut w, &user, USDC), (THOUSAND, THOUSAND));
    refused(w.borrow(&user, USDC, 1), KeelError::IsolatedDebtCeilingExceeded);
    // A dearer dollar counts for more.
    let (mut w, user, _) = isolated(THOUSAND);
    w.set_price(USDC, 1_10);
    refused(w.borrow(&user, USDC, 909_090_910), KeelError::IsolatedDebtCeilingExceeded);
    w.borrow(&user, USDC, 909_090_909).unwrap();
}

/// What one vault borrowed another cannot, whatever the asset; collateral without a ceiling is not counted.
#[test]
fn vaults_and_debts_share_one_ceiling() {
    let (mut w, first, borrower) = isolated(3 * THOUSAND);
    let dai = w.list(&AssetSpec::usdc());
    w.supplier(dai, 100_000_000_000);
    let second = holder(&mut w, 500);
    w.fund(&first.key(), dai, 0);
    w.borrow(&first, USDC, 1_000_000_000).unwrap();
    w.borrow(&first, dai, 1_000_000_000).unwrap();
    refused(w.borrow(&second, dai, 1_000_000_001), KeelError::IsolatedDebtCeilingExceeded);
    w.borrow(&second, dai, 1_000_000_000).unwrap();
    refused(w.borrow(&first, USDC, 1), KeelError::IsolatedDebtCeilingExceeded);
    assert_eq!(counted(&mut w, &first, dai), (3 * THOUSAND, THOUSAND));
    w.borrow(&borrower, USDC, 5_000_000_000).unwrap();
    assert_eq!(counted(&mut w, &borrower, USDC), (3 * THOUSAND, 0));
}

/// A repayment gives back its part of what was counted, rounded down, whatever interest made of the debt; ALL gives back all.
#[test]
fn repayments_release_in_proportion() {
    let (mut w, user, stranger) = isolated(THOUSAND);
    w.borrow(&user, USDC, 1_000_000_000).unwrap();
    w.pass(365 * 86_400);
    w.refresh_prices();
    let owed = {
        let (reserve, vault) = (w.reserve(USDC), w.vault(&user.vault));
        let mut pool = reserve.pool();
        pool.accrue(w.chain.clock().unix_timestamp).unwrap();
        pool.debt_index.amount_owed(vault.debt(&w.assets[USDC].reserve).unwrap()).unwrap().0
    };
    assert!(owed > 1_000_000_000);
    w.fund(&user.key(), USDC, 1_000_000_000);
    w.fund(&stranger.key(), USDC, 1_000_000_000);
    w.repay(&user, USDC, Exact(owed / 4)).unwrap();
    let (left, of_debt) = counted(&mut w, &user, USDC);
    assert_eq!(left, of_debt);
    assert!(left.abs_diff(THOUSAND * 3 / 4) < 3, "{left}");
    // That is room for others, to the unit.
    let other = holder(&mut w, 100);
    refused(w.borrow(&other, USDC, 250_000_001), KeelError::IsolatedDebtCeilingExceeded);
    w.borrow(&other, USDC, 249_999_998).unwrap();
    // Anyone may repay, and with the last unit nothing is counted any more.
    let repay = repay_for(&mut w, &stranger, &user, USDC, Exact(owed / 2));
    w.send(repay, &stranger.keypair).unwrap();
    let (_, of_debt) = counted(&mut w, &user, USDC);
    assert!(of_debt.abs_diff(THOUSAND / 4) < 3, "{of_debt}");
    w.repay(&user, USDC, All).unwrap();
    w.fund(&other.key(), USDC, 1);
    w.repay(&other, USDC, All).unwrap();
    assert_eq!(counted(&mut w, &user, USDC), (0, 0));
    w.borrow(&user, USDC, 1_000_000_000).unwrap();
}

/// `borrow` and `repay` write the isolated reserve: without it, or with it to be read only, they are refused.
#[test]
fn the_isolated_reserve_is_passed_writable() {
    let (mut w, user, _) = isolated(u64::MAX);
    let (vault, actor) = (w.vault(&user.vault), w.actor(&user, USDC));
    let borrow = instruction::borrow(&w.book, &vault, &actor, 100_000_000).unwrap();
    let position = borrow.accounts.iter().position(|meta| meta.pubkey == w.assets[MEME].reserve).unwrap();
    let mut read = borrow.clone();
    read.accounts[position].is_writable = false;
    w.refuse(&read, &[&user.keypair], KeelError::MissingAccount);
    w.send(borrow, &user.keypair).unwrap();

    for amount in [Exact(1_000_000), All] {
        let repay = w.repay_ix(&user, USDC, amount);
        let meta = repay.accounts.last().unwrap();
        assert_eq!((meta.pubkey, meta.is_writable), (w.assets[MEME].reserve, true));
        let (mut read, mut without, mut other) = (repay.clone(), repay.clone(), repay.clone());
        read.accounts.last_mut().unwrap().is_writable = false;
        without.accounts.pop();
        other.accounts.last_mut().unwrap().pubkey = w.assets[SOL].reserve;
        for wrong in [read, without, other] {
            w.refuse(&wrong, &[&user.keypair], KeelError::MissingAccount);
        }
    }
    w.fund(&user.key(), USDC, 1_000_000);
    w.repay(&user, USDC, All).unwrap();
    // A debt that is not counted needs no more accounts than ever.
    let (mut w, _, borrower) = isolated(u64::MAX);
    w.borrow(&borrower, USDC, 100_000_000).unwrap();
    assert_eq!(w.repay_ix(&borrower, USDC, All).accounts.len(), 8);
    w.repay(&borrower, USDC, All).unwrap();
}

/// A user with 1,000 MEME who owes 7,000 USDC while MEME is at 8 dollars, and a keeper.
fn unhealthy() -> (Bank, User, Keypair) {
    let (mut w, user, _) = isolated(u64::MAX);
    w.borrow(&user, USDC, 7_000_000_000).unwrap();
    assert_eq!(counted(&mut w, &user, USDC), (7 * (THOUSAND - 1) + 1, 7 * (THOUSAND - 1) + 1));
    w.set_price(MEME, 8_00);
    let keeper = keeper(&mut w, USDC, MEME, 10_000_000_000);
    (w, user, keeper)
}

/// A liquidation that seizes the isolated collateral gives back what it repaid; one without debt left, all of it.
#[test]
fn a_liquidation_releases_too() {
    let (mut w, user, keeper) = unhealthy();
    w.liquidate(&keeper, &user.vault, USDC, MEME, 1_750_000_000, 0).unwrap();
    let (left, of_debt) = counted(&mut w, &user, USDC);
    assert_eq!(left, of_debt);
    assert!(left.abs_diff(7 * THOUSAND * 3 / 4) < 10, "{left}");
    let (mut w, user, keeper) = unhealthy();
    w.set_price(MEME, 7_20);
    w.liquidate(&keeper, &user.vault, USDC, MEME, u64::MAX, 0).unwrap();
    assert_eq!((held(&mut w, &user, USDC), counted(&mut w, &user, USDC)), (0, (0, 0)));
}

/// What an isolated asset lost stays counted: governance has to raise the ceiling.
#[test]
fn what_is_written_off_stays_counted() {
    let (mut w, user, keeper) = unhealthy();
    w.set_price(MEME, 5_00);
    w.liquidate(&keeper, &user.vault, USDC, MEME, u64::MAX, 0).unwrap();
    assert!(w.vault(&user.vault).is_empty());
    // 5,000 dollars at a bonus of 2 % repaid 4,901.96 of 7,000.
    let lost = 1.0005 * (7_000.0 - 5_000.0 / 1.02) * 1e6;
    let (left, _) = counted(&mut w, &user, USDC);
    assert!((left as f64 - lost).abs() < 2.0, "{left} {lost}");
    // By hand or by `resolve_bad_debt`.
    let (mut w, user, _) = unhealthy();
    w.set_price(MEME, 1);
    let before = counted(&mut w, &user, USDC).0;
    w.resolve(&user.vault, USDC).unwrap();
    assert_eq!(counted(&mut w, &user, USDC), (before, 0));
    w.resolve(&user.vault, MEME).unwrap();
    // The vault starts anew, and what it then borrows is counted beside.
    w.set_price(MEME, 10_00);
    give(&mut w, &user, MEME, 1_000_000_000);
    w.borrow(&user, USDC, 1_000_000_000).unwrap();
    assert_eq!(counted(&mut w, &user, USDC), (before + THOUSAND, THOUSAND));
}

/// The isolated collateral was exchanged for another after the loan. The debt stays counted until it is repaid, be it by a
/// liquidation of the other collateral.
#[test]
fn an_exchanged_collateral_leaves_the_count() {
    let (mut w, user, _) = isolated(THOUSAND);
    w.borrow(&user, USDC, 1_000_000_000).unwrap();
    give(&mut w, &user, SOL, 10_000_000_000);
    w.withdraw(&user, MEME, All).unwrap();
    assert_eq!(counted(&mut w, &user, USDC), (THOUSAND, THOUSAND));
    // What SOL carries is no business of the ceiling.
    w.borrow(&user, USDC, 300_000_000).unwrap();
    assert_eq!(counted(&mut w, &user, USDC), (THOUSAND, THOUSAND));
    // And back: the vault is not empty.
    w.fund(&user.key(), MEME, 1);
    refused(w.deposit(&user, MEME, All), KeelError::IsolatedCollateralMixed);
    let other = holder(&mut w, 100);
    refused(w.borrow(&other, USDC, 10_000_000), KeelError::IsolatedDebtCeilingExceeded);

    w.set_price(SOL, 150_00);
    let keeper = keeper(&mut w, USDC, SOL, 10_000_000_000);
    w.liquidate(&keeper, &user.vault, USDC, SOL, 325_000_000, 0).unwrap();
    let (ceiling, of_debt) = counted(&mut w, &user, USDC);
    assert_eq!(ceiling, of_debt);
    assert!(of_debt.abs_diff(THOUSAND * 3 / 4) < 3, "{of_debt}");
    // Which is room for others.
    w.borrow(&other, USDC, 200_000_000).unwrap();
    let of_other = counted(&mut w, &other, USDC).1;
    w.fund(&user.key(), USDC, 1_000_000_000);
    w.repay(&user, USDC, All).unwrap();
    assert_eq!(counted(&mut w, &user, USDC), (of_other, 0));
}

/// The same while the isolated collateral is still there, beside another one that is seized.
#[test]
fn a_liquidation_of_the_other_of_two_collaterals_releases_too() {
    let (mut w, user, _) = isolated(u64::MAX);
    w.borrow(&user, USDC, 7_000_000_000).unwrap();
    give(&mut w, &user, SOL, 5_000_000_000);
    w.set_price(MEME, 7_00);
    let keeper = keeper(&mut w, USDC, SOL, 10_000_000_000);
    w.liquidate(&keeper, &user.vault, USDC, SOL, 700_000_000, 0).unwrap();
    let (ceiling, of_debt) = counted(&mut w, &user, USDC);
    assert_eq!(ceiling, of_debt);
    assert!(of_debt.abs_diff(THOUSAND * 63 / 10) < 10, "{of_debt}");
}

/// The isolated reserve is passed to be written, also where the vault has come to owe what once was its collateral.
#[test]
fn a_liquidation_of_another_collateral_needs_the_isolated_reserve() {
    for owes in [false, true] {
        let (mut w, user, _) = isolated(THOUSAND);
        w.borrow(&user, USDC, 1_000_000_000).unwrap();
        give(&mut w, &user, SOL, 10_000_000_000);
        w.withdraw(&user, MEME, All).unwrap();
        if owes {
            holder(&mut w, 100);
            w.borrow(&user, MEME, 20_000_000).unwrap();
        }
        w.set_price(SOL, 110_00);
        let keeper = keeper(&mut w, USDC, SOL, 10_000_000_000);
        let terms = Liquidation {
            keeper: keeper.pubkey(),
            vault: user.vault,
            debt_reserve: w.assets[USDC].reserve,
            collateral_reserve: w.assets[SOL].reserve,
            max_repay: 250_000_000,
            min_seize: 0,
        };
        let vault = w.vault(&user.vault);
        let liquidate = instruction::liquidate(&w.book, &vault, &terms).unwrap();
        let meta = liquidate.accounts.last().unwrap();
        assert_eq!((meta.pubkey, meta.is_writable), (w.assets[MEME].reserve, true));
        let (mut read, mut without, mut other) = (liquidate.clone(), liquidate.clone(), liquidate.clone());
        read.accounts.last_mut().unwrap().is_writable = false;
        without.accounts.pop();
        other.accounts.last_mut().unwrap().pubkey = w.assets[SOL].reserve;
        for wrong in [read, without, other] {
            w.refuse(&wrong, &[&keeper], KeelError::MissingAccount);
        }
        w.send(liquidate, &keeper).unwrap();
        let (ceiling, of_debt) = counted(&mut w, &user, USDC);
        assert_eq!(ceiling, of_debt);
        assert!(of_debt.abs_diff(THOUSAND * 3 / 4) < 3, "{of_debt}");
    }
}

/// The other order: a debt against SOL first.
#[test]
fn a_debt_never_becomes_one_against_isolated_collateral() {
    let (mut w, _, borrower) = isolated(THOUSAND);
    w.borrow(&borrower, USDC, 10_000_000_000).unwrap();
    w.fund(&borrower.key(), MEME, 10_000_000_000);
    refused(w.deposit(&borrower, MEME, All), KeelError::IsolatedCollateralMixed);
    // Nor by way of the other side of the vault.
    w.fund(&borrower.key(), MEME, 0);
    let lender = w.supplier(MEME, 1_000_000_000);
    w.borrow(&borrower, MEME, 100_000_000).unwrap();
    refused(w.deposit(&borrower, MEME, Exact(1)), KeelError::ReserveHeldAsDebt);
    w.repay(&borrower, MEME, All).unwrap();
    refused(w.deposit(&borrower, MEME, Exact(1)), KeelError::IsolatedCollateralMixed);
    // Nor by way of a stranger.
    let into = Actor::new(&w.book, lender.key(), borrower.vault, w.assets[MEME].reserve).unwrap();
    w.fund(&lender.key(), MEME, 1);
    let deposit = instruction::deposit(&w.book, &into, Exact(1)).unwrap();
    w.refuse(&deposit, &[&lender.keypair], KeelError::OnlyOwnerOpensPositions);
    // Whoever owes MEME against SOL is not counted.
    w.borrow(&borrower, MEME, 100_000_000).unwrap();
    assert_eq!(counted(&mut w, &borrower, MEME), (0, 0));
}

/// A vault that changes its owner takes its count along.
#[test]
fn a_transfer_changes_nothing() {
    let (mut w, user, _) = isolated(THOUSAND);
    w.borrow(&user, USDC, 600_000_000).unwrap();
    let heir = w.user();
    (0..3).for_each(|asset| w.fund(&heir.key(), asset, 0));
    let before = counted(&mut w, &user, USDC);
    w.send(instruction::offer_vault(user.key(), user.vault, heir.key()), &user.keypair).unwrap();
    w.send(instruction::accept_vault(heir.key(), user.vault), &heir.keypair).unwrap();
    let heir = User { vault: user.vault, ..heir };
    assert_eq!(counted(&mut w, &heir, USDC), before);
    refused(w.borrow(&heir, USDC, 400_000_001), KeelError::IsolatedDebtCeilingExceeded);
    w.borrow(&heir, USDC, 399_000_000).unwrap();
    w.fund(&heir.key(), USDC, 1_000_000_000);
    w.repay(&heir, USDC, All).unwrap();
    assert_eq!(counted(&mut w, &heir, USDC), (0, 0));
}

/// A keeper who takes shares gets isolated collateral into an empty vault, or into one that holds it.
#[test]
fn a_keepers_shares_obey_isolation() {
    let (mut w, user, keeper) = unhealthy();
    let into = |w: &mut Bank, index: u16| -> Result<Receipt, Failure> {
        let (key, vault) = (keeper.pubkey(), w.vault(&user.vault));
        let terms = Liquidation {
            keeper: key,
            vault: user.vault,
            debt_reserve: w.assets[USDC].reserve,
            collateral_reserve: w.assets[MEME].reserve,
            max_repay: 500_000_000,
            min_seize: 0,
        };
        let vault_of_keeper = address::vault(&w.market, &key, index);
        let liquidate = instruction::liquidate_for_shares(&w.book, &vault, &terms, vault_of_keeper).unwrap();
        w.send(liquidate, &keeper)
    };
    let key = keeper.pubkey();
    let owned = |w: &mut Bank, index: u16| {
        w.send(instruction::open_vault(key, key, w.market, index), &keeper).unwrap();
        User { keypair: keeper.insecure_clone(), vault: address::vault(&w.market, &key, index) }
    };
    let (mixed, empty) = (owned(&mut w, 0), owned(&mut w, 1));
    w.fund(&key, SOL, 1_000);
    w.deposit(&mixed, SOL, All).unwrap();
    refused(into(&mut w, 0), KeelError::IsolatedCollateralMixed);
    into(&mut w, 1).unwrap();
    // Beside SOL that came later it is still only a mixture, against which nothing is borrowed.
    give(&mut w, &empty, SOL, 1_000_000_000);
    into(&mut w, 1).unwrap();
    refused(w.borrow(&empty, USDC, 10_000_000), KeelError::IsolatedCollateralMixed);
}

/// SOL becomes isolated while a vault with a debt that is counted elsewhere holds it: nothing more is borrowed until that
/// debt is repaid. One whose debt is counted nowhere goes on, and is counted from then on.
#[test]
fn a_debt_counts_against_one_ceiling() {
    let (mut w, user, borrower) = isolated(THOUSAND);
    w.borrow(&user, USDC, 500_000_000).unwrap();
    give(&mut w, &user, SOL, 10_000_000_000);
    w.withdraw(&user, MEME, All).unwrap();
    w.borrow(&borrower, USDC, 1_000_000_000).unwrap();
    w.configure(SOL, |c| c.limits.isolated_debt_ceiling = THOUSAND).unwrap();
    refused(w.borrow(&user, USDC, 10_000_000), KeelError::IsolatedCollateralMixed);
    w.borrow(&borrower, USDC, 1_000_000_000).unwrap();
    assert_eq!(w.reserve(SOL).isolated_debt, THOUSAND);
    refused(w.borrow(&borrower, USDC, 1), KeelError::IsolatedDebtCeilingExceeded);
    // Half of what is owed gives half of the count back.
    w.repay(&borrower, USDC, Exact(1_000_000_000)).unwrap();
    assert!(w.reserve(SOL).isolated_debt.abs_diff(THOUSAND / 2) < 3);
    w.repay(&user, USDC, All).unwrap();
    w.borrow(&user, USDC, 100_000_000).unwrap();
    assert_eq!((w.reserve(MEME).isolated_debt, w.vault(&user.vault).isolated_reserve), (0, w.assets[SOL].reserve));
}

/// Governance lowers a ceiling under what is counted, or lifts the isolation: repayments release as before.
#[test]
fn another_ceiling_does_not_touch_what_is_counted() {
    let (mut w, user, _) = isolated(THOUSAND);
    w.borrow(&user, USDC, 1_000_000_000).unwrap();
    w.configure(MEME, |c| c.limits.isolated_debt_ceiling = 1).unwrap();
    refused(w.borrow(&user, USDC, 1), KeelError::IsolatedDebtCeilingExceeded);
    w.repay(&user, USDC, Exact(500_000_000)).unwrap();
    w.configure(MEME, |c| c.limits.isolated_debt_ceiling = 0).unwrap();
    w.borrow(&user, USDC, 100_000_000).unwrap();
    give(&mut w, &user, SOL, 1_000_000_000);
    let (left, of_debt) = counted(&mut w, &user, USDC);
    assert!(left == of_debt && left.abs_diff(THOUSAND / 2) < 3, "{left}");
    w.repay(&user, USDC, All).unwrap();
    assert_eq!(counted(&mut w, &user, USDC), (0, 0));
}

/// [`lent`] with a dollar that must be owed alone.
fn alone() -> (Bank, User, usize) {
    let (mut w, _, borrower) = lent();
    let mut spec = AssetSpec::usdc();
    spec.config.isolated_debt = 1;
    let dai = w.list(&spec);
    w.supplier(dai, 100_000_000_000);
    w.fund(&borrower.key(), dai, 0);
    (w, borrower, dai)
}

#[test]
fn an_isolated_debt_is_the_only_one() {
    for first_isolated in [true, false] {
        let (mut w, borrower, dai) = alone();
        let (first, second) = if first_isolated { (dai, USDC) } else { (USDC, dai) };
        w.borrow(&borrower, first, 1_000_000_000).unwrap();
        refused(w.borrow(&borrower, second, 1_000_000_000), KeelError::IsolatedDebtMixed);
        // More of the same, and the other after it.
        w.borrow(&borrower, first, 1_000_000_000).unwrap();
        w.repay(&borrower, first, All).unwrap();
        w.borrow(&borrower, second, 1_000_000_000).unwrap();
        refused(w.borrow(&borrower, first, 1_000_000_000), KeelError::IsolatedDebtMixed);
    }
    // Collateral may be as mixed as ever, and isolated, too.
    let (mut w, borrower, dai) = alone();
    let other = w.list(&AssetSpec::sol());
    give(&mut w, &borrower, other, 1_000_000_000);
    w.borrow(&borrower, dai, 1_000_000_000).unwrap();
    // As collateral it is nothing special.
    let saver = w.supplier(dai, 1_000_000_000);
    w.fund(&saver.key(), USDC, 0);
    w.borrow(&saver, USDC, 100_000_000).unwrap();
}

/// Debts that were mixed before one of them became isolated are repaid, withdrawn against and liquidated as ever; only
/// borrowing waits.
#[test]
fn repayments_and_liquidations_do_not_look_at_isolation() {
    let (mut w, borrower, dai) = alone();
    w.configure(dai, |c| c.isolated_debt = 0).unwrap();
    w.borrow(&borrower, USDC, 7_000_000_000).unwrap();
    w.borrow(&borrower, dai, 6_000_000_000).unwrap();
    w.configure(dai, |c| c.isolated_debt = 1).unwrap();
    refused(w.borrow(&borrower, USDC, 1), KeelError::IsolatedDebtMixed);
    refused(w.borrow(&borrower, dai, 1), KeelError::IsolatedDebtMixed);
    w.withdraw(&borrower, SOL, Exact(1_000_000)).unwrap();
    w.repay(&borrower, dai, Exact(1_000_000)).unwrap();
    w.repay(&borrower, USDC, Exact(1_000_000)).unwrap();
    w.set_price(SOL, 150_00);
    let keeper = keeper(&mut w, USDC, SOL, 10_000_000_000);
    w.fund(&keeper.pubkey(), dai, 10_000_000_000);
    w.liquidate(&keeper, &borrower.vault, USDC, SOL, 1_000_000_000, 0).unwrap();
    w.set_price(SOL, 140_00);
    w.liquidate(&keeper, &borrower.vault, dai, SOL, 1_000_000_000, 0).unwrap();
}
