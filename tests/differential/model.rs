//! A market: what belongs to nobody in particular, and how a vault is valued.

use crate::governance::{Offices, Queued};
use crate::oracle::Feed;
use crate::pauses::Pause;
use crate::reserve::{ModelReserve, State};
use crate::vault::{Holdings, Slot};
use anchor_lang::error::ErrorCode;
use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token::error::TokenError;
use keel::AmountSpec;
use keel::KeelError;
use keel::oracle::Readings;
use keel::state::{MarketParams, Side};
use keel_risk::RiskError;
use keel_risk::health::Totals;
use keel_risk::price::{Moment, Purpose, UnitPrice};
use keel_risk::units::{Amount, DebtShares, Quantity, SupplyShares};
use keel_tests::check::Refusal;
use keel_tests::random::arena::VAULTS_EACH;
use keel_tests::random::{Action, Arena, Snapshot, VaultId};
use std::collections::BTreeMap;

/// A market.
#[derive(Clone)]
pub struct Model {
    pub reserves: Vec<ModelReserve>,
    /// As [`Arena::vault_ids`].
    pub vaults: Vec<Option<Holdings>>,
    /// Tokens by user and asset.
    pub wallets: Vec<Vec<u64>>,
    pub pause: Pause,
    /// What governance has set, and how often.
    pub params: MarketParams,
    pub revision: u32,
    pub roles: Offices,
    /// What it has announced, by number, and the next one.
    pub changes: BTreeMap<u64, Queued>,
    pub next_change: u64,
    /// What the feeds say that changes bring in.
    pub coming: BTreeMap<u64, Readings>,
    /// Addresses and token accounts.
    pub players: Vec<(Pubkey, Vec<Pubkey>)>,
    /// Flash loans that the running transaction has taken and not repaid.
    pub open_loans: u32,
    /// Debts written off.
    pub losses: u64,
    /// Of those, such that lowered a supply index.
    pub shared_losses: u64,
    pub moment: Moment,
    pub slot: u64,
}

/// Why an instruction stopped: one of the program's errors, or somebody else's.
pub struct Stop(pub Refusal);

impl From<KeelError> for Stop {
    fn from(error: KeelError) -> Self {
        Self(error.into())
    }
}

impl From<RiskError> for Stop {
    fn from(error: RiskError) -> Self {
        KeelError::from(error).into()
    }
}

pub type Outcome<T> = Result<T, Stop>;

pub fn refuse<T>(error: KeelError) -> Outcome<T> {
    Err(error.into())
}

/// The sums of a vault, and what was seen on the way.
pub struct Value {
    pub totals: Totals,
    /// The group whose weights count, or 0.
    pub group: u32,
    pub isolated_collateral: Option<usize>,
    isolated_debt: bool,
    collaterals: usize,
    debts: usize,
    /// Why a collateral counted as zero, if one did.
    discarded: Option<KeelError>,
}

impl Value {
    pub fn require_healthy(&self) -> Outcome<()> {
        if self.totals.is_healthy() { Ok(()) } else { refuse(self.discarded.unwrap_or(KeelError::Unhealthy)) }
    }

    pub fn require_isolation(&self) -> Outcome<()> {
        if self.isolated_collateral.is_some() && self.collaterals > 1 {
            return refuse(KeelError::IsolatedCollateralMixed);
        }
        if self.isolated_debt && self.debts > 1 {
            return refuse(KeelError::IsolatedDebtMixed);
        }
        Ok(())
    }
}

impl Model {
    /// The market of an arena, before anything happened in it.
    pub fn new(arena: &Arena) -> Self {
        let state = &arena.state;
        let reserve = |asset: usize| {
            let reserve = &state.reserves[asset];
            let feeds = arena.world.assets[asset].prices.len();
            ModelReserve {
                state: State::of(reserve),
                feeds: reserve.last_prices[..feeds].iter().map(Feed::of).collect(),
                tokens: 0,
                decimals: reserve.decimals,
                readings: vec![],
            }
        };
        let mut model = Self {
            reserves: (0..state.reserves.len()).map(reserve).collect(),
            vaults: vec![None; state.vaults.len()],
            wallets: vec![],
            pause: Pause::of(&state.market),
            params: state.market.params(),
            revision: state.market.revision,
            roles: Offices::of_market(&state.market),
            changes: BTreeMap::new(),
            next_change: state.market.next_change,
            coming: BTreeMap::new(),
            players: arena.players.iter().map(|player| (player.key(), player.tokens.clone())).collect(),
            open_loans: 0,
            losses: 0,
            shared_losses: 0,
            moment: state.moment,
            slot: arena.slot,
        };
        model.observe(arena, true);
        model
    }

    /// Takes over what is not the program's: time, price accounts, and tokens if somebody else moved them.
    pub fn observe(&mut self, arena: &Arena, tokens: bool) {
        self.moment = arena.state.moment;
        self.slot = arena.slot;
        let coming = arena.state.changes.iter().map(|change| (change.pending.nonce, change.readings));
        self.coming = coming.collect();
        for (asset, reserve) in self.reserves.iter_mut().enumerate() {
            reserve.readings = arena.state.readings[asset][..reserve.feeds.len()].to_vec();
            if tokens {
                reserve.tokens = tokens_of(&arena.state, asset);
            }
        }
        if tokens {
            self.wallets.clone_from(&arena.state.wallets);
        }
    }

    /// Runs the instructions of a transaction. If one is refused, the model is spoilt; its number, and why.
    pub fn act(&mut self, actions: &[Action]) -> Result<(), (usize, Refusal)> {
        self.open_loans = 0;
        for (i, action) in actions.iter().enumerate() {
            self.step(action, &actions[i + 1..]).map_err(|Stop(refusal)| (i, refusal))?;
        }
        Ok(())
    }

    /// Runs an instruction that `later` ones follow.
    fn step(&mut self, action: &Action, later: &[Action]) -> Outcome<()> {
        match *action {
            Action::Open { vault } => self.open(vault),
            Action::Close { user, vault } => self.close(user, vault),
            Action::SetDelegate { user, vault, delegate, rights, until } => {
                self.set_delegate(user, vault, delegate, rights, until)
            }
            Action::Offer { user, vault, to } => self.offer(user, vault, to),
            Action::Accept { user, vault } => self.accept(user, vault),
            Action::SetGroup { user, vault, group } => self.set_group(user, vault, group),
            Action::FlashBorrow { user, asset, amount } => self.flash_borrow(user, asset, Amount(amount), later),
            Action::FlashRepay { user, asset, amount } => self.flash_repay(user, asset, Amount(amount)),
            Action::SetPause { signer, bits, seconds } => self.set_pause(signer, bits, seconds),
            Action::Deposit(flow) => self.deposit(&flow),
            Action::Withdraw(flow) => self.withdraw(&flow),
            Action::Borrow(flow) => self.borrow(&flow),
            Action::Repay(flow) => self.repay(&flow),
            Action::Liquidate { keeper, vault, debt, collateral, max_repay, min_seize, into } => {
                self.liquidate(keeper, vault, debt, collateral, Amount(max_repay), min_seize, into)
            }
            Action::Redeem { redeemer, vault, debt, collateral, max_repay, min_seize } => {
                self.redeem(redeemer, vault, debt, collateral, Amount(max_repay), min_seize)
            }
            Action::SwapIn { user, assets, min_tokens } => self.swap_in(user, Amount(assets), min_tokens),
            Action::SwapOut { user, tokens, min_assets } => self.swap_out(user, Amount(tokens), min_assets),
            Action::Queue { signer, nonce, target, ref change } => self.queue(signer, nonce, target, change),
            Action::Execute { nonce, target, .. } => self.execute(nonce, target),
            Action::WithdrawInsurance { nonce, asset, .. } => self.withdraw_insurance(nonce, asset),
            Action::Veto { signer, nonce } => self.veto(signer, nonce),
            Action::CloseExpired { nonce, .. } => self.close_expired(nonce),
            Action::Tighten { signer, target, ref change } => self.tighten(signer, target, change),
            Action::Step { signer, asset, ref change } => self.step_parameters(signer, asset, change),
            Action::AcceptRole { user, role } => self.accept_role(user, role),
            Action::Refresh { asset, .. } => self.refresh(asset, true),
            Action::Accrue { asset, .. } => self.refresh(asset, false),
            Action::Challenge { asset, feed, .. } => self.challenge(asset, usize::from(feed)),
            Action::Resolve { vault, asset, .. } => self.resolve(vault, asset),
        }
    }

    pub fn now(&self) -> i64 {
        self.moment.now
    }

    pub fn vault(&self, id: VaultId) -> Outcome<Holdings> {
        let vault = self.vaults[id.opener * VAULTS_EACH + id.index].clone();
        vault.ok_or(Stop(ErrorCode::AccountOwnedByWrongProgram.into()))
    }

    pub fn put(&mut self, id: VaultId, vault: Option<Holdings>) {
        self.vaults[id.opener * VAULTS_EACH + id.index] = vault;
    }

    /// Tokens from a user to a reserve: the last thing that can fail.
    pub fn take(&mut self, user: usize, asset: usize, amount: Amount) -> Outcome<()> {
        let wallet = &mut self.wallets[user][asset];
        *wallet = wallet.checked_sub(amount.0).ok_or(Stop(TokenError::InsufficientFunds.into()))?;
        let reserve = &mut self.reserves[asset];
        if reserve.is_minted() {
            reserve.tokens -= amount.0;
        } else {
            reserve.tokens += amount.0;
        }
        Ok(())
    }

    pub fn pay(&mut self, user: usize, asset: usize, amount: Amount) {
        let reserve = &mut self.reserves[asset];
        if reserve.is_minted() {
            reserve.tokens += amount.0;
        } else {
            reserve.tokens -= amount.0;
        }
        self.wallets[user][asset] += amount.0;
    }

    /// The reserve, accrued.
    pub fn accrued(&mut self, asset: usize) -> Outcome<&mut ModelReserve> {
        let reserve = &mut self.reserves[asset];
        reserve.accrue(self.moment.now)?;
        Ok(reserve)
    }

    /// The sums of a vault with the given prices. For new risk, collateral without one counts as zero.
    pub fn value(
        &self,
        vault: &Holdings,
        purpose: Purpose,
        mut price: impl FnMut(usize, Side) -> Result<UnitPrice, KeelError>,
    ) -> Outcome<Value> {
        let now = self.moment.now;
        let group = vault.weighted_as();
        let mut value = Value {
            totals: Totals::default(),
            group,
            isolated_collateral: None,
            isolated_debt: false,
            collaterals: 0,
            debts: 0,
            discarded: None,
        };
        for Slot { asset, side, shares, .. } in vault.occupied().copied() {
            let reserve = &self.reserves[asset];
            let price = match price(asset, side) {
                Err(error) if side == Side::Collateral && purpose == Purpose::NewRisk => {
                    value.discarded.get_or_insert(error);
                    UnitPrice::ZERO
                }
                price => price?,
            };
            let indices = reserve.state.pool.project(now)?;
            match side {
                Side::Collateral => {
                    let worth = price.value_floor(indices.supply.amount_of(SupplyShares(shares))?)?;
                    let grouped = reserve.has_weights_in(group);
                    value.totals.add_collateral(worth, reserve.factor(purpose, grouped, now)?)?;
                    value.collaterals += 1;
                    if reserve.is_isolated_collateral() {
                        value.isolated_collateral = Some(asset);
                    }
                }
                Side::Debt => {
                    let owed = indices.debt.amount_owed(DebtShares(shares))?;
                    value.totals.add_debt(price.value_ceil(owed)?)?;
                    value.debts += 1;
                    value.isolated_debt |= reserve.is_isolated_debt();
                }
            }
        }
        Ok(value)
    }

    pub fn require_past_restart(&self) -> Outcome<()> {
        let restart = self.moment.last_restart_slot;
        let waiting = restart != 0 && self.slot < restart.saturating_add(self.params.restart_grace_slots);
        if waiting { refuse(KeelError::RestartGracePeriod) } else { Ok(()) }
    }
}

/// Tokens in the liquidity account; of a minted reserve, tokens that exist.
pub fn tokens_of(state: &Snapshot, asset: usize) -> u64 {
    if state.reserves[asset].is_minted() { state.supplies[asset] } else { state.liquidity[asset] }
}

pub fn quantity(amount: AmountSpec) -> Quantity {
    match amount {
        AmountSpec::Exact(amount) => Quantity::Exact(Amount(amount)),
        AmountSpec::All => Quantity::All,
    }
}
