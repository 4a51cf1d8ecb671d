//! Which step comes next: mostly plausible, often at a limit, sometimes absurd.

use super::action::{Action, FlowOf, VaultId};
use super::arena::{Arena, Fault, Move, USERS, VAULTS_EACH};
use keel::AmountSpec;
use keel::state::{Side, Vault};
use keel_risk::price::Purpose;
use keel_risk::units::{Amount, Usd};
use rand::Rng;
use rand::seq::IndexedRandom;

/// One step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// An instruction.
    Act(Action),
    /// Something else.
    Happen(Move),
}

impl Arena {
    /// Draws the next step from the generator and the present state.
    pub fn draw(&mut self) -> Step {
        if self.still > 0 {
            self.still -= 1;
            return Step::Act(self.draw_action());
        }
        if self.rng.random_ratio(1, 4) { Step::Happen(self.draw_move()) } else { Step::Act(self.draw_action()) }
    }

    fn below(&mut self, n: usize) -> usize {
        self.rng.random_range(0..n)
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_ratio(percent, 100)
    }

    fn asset(&mut self) -> usize {
        self.below(self.spot.len())
    }

    fn draw_move(&mut self) -> Move {
        let asset = self.asset();
        let feed = self.below(self.world.assets[asset].prices.len());
        match self.rng.random_range(0..1_000) {
            0..560 => Move::Walk { seed: self.rng.random() },
            560..690 => Move::Pass { seconds: self.draw_seconds(), publish: self.chance(75) },
            690..770 => Move::Jump { asset, bps: self.draw_jump() },
            770..860 => Move::Misprice { asset, feed, fault: self.draw_fault() },
            860..890 => Move::Freeze { asset, feed },
            890..925 => Move::Thaw,
            925..965 => {
                let amount = self.draw_amount(self.worth(asset, 20_000));
                Move::Fund { user: self.below(USERS), asset, amount: amount.min(1 << 44) }
            }
            965..970 => {
                let amount = self.draw_amount(1_000).min(1_000_000);
                Move::Donate { user: self.below(USERS), asset, amount }
            }
            970..971 => Move::Restart,
            _ => Move::Still { instructions: self.rng.random_range(5..60) },
        }
    }

    /// Native units of `asset` worth about so many dollars.
    fn worth(&self, asset: usize, dollars: u64) -> u64 {
        let one = u128::from(self.world.assets[asset].whole(1));
        let price = u128::from(self.spot[asset].unsigned_abs());
        u64::try_from(u128::from(dollars) * one * 100_000_000 / price).unwrap()
    }

    fn draw_seconds(&mut self) -> i64 {
        match self.rng.random_range(0..100) {
            0..10 => 0,
            10..50 => self.rng.random_range(1..30),
            50..85 => self.rng.random_range(30..130),
            85..95 => self.rng.random_range(130..1_000),
            95..99 => self.rng.random_range(1_000..10_000),
            _ => self.rng.random_range(10_000..300_000),
        }
    }

    fn draw_jump(&mut self) -> u32 {
        match self.rng.random_range(0..10) {
            0..3 => self.rng.random_range(9_000..9_900),
            3..6 => self.rng.random_range(7_000..9_000),
            6..9 => self.rng.random_range(2_500..7_000),
            _ => self.rng.random_range(10_500..25_000),
        }
    }

    fn draw_fault(&mut self) -> Fault {
        match self.below(14) {
            0 => Fault::Wide,
            1 => Fault::TooWide,
            2..5 => Fault::AverageOff(self.rng.random_range(-1_500..1_500)),
            5 => Fault::Old(self.rng.random_range(1..200)),
            6 => Fault::Replayed,
            7 => Fault::Future,
            8 => Fault::Negative,
            9 => Fault::Partial,
            10 => Fault::WrongFeed,
            11 => Fault::Malformed,
            12 => Fault::WrongOwner,
            _ => Fault::Off(self.rng.random_range(-600..600)),
        }
    }

    /// An amount of any magnitude, most often a part of `typical`, often `typical` give or take one.
    fn draw_amount(&mut self, typical: u64) -> u64 {
        match self.rng.random_range(0..100) {
            0..2 => 0,
            2..4 => 1,
            4..8 => self.rng.random_range(1..1_000),
            8..11 => {
                let shift = self.rng.random_range(0..64);
                self.rng.random::<u64>() >> shift
            }
            11..12 => u64::MAX,
            12..22 => typical,
            22..26 => typical.saturating_add(1),
            26..30 => typical.saturating_sub(1),
            30..40 => typical - typical / 100,
            _ => self.rng.random_range(0..=typical),
        }
    }

    fn draw_action(&mut self) -> Action {
        if let Some(vault) = self.insolvent()
            && self.chance(20)
        {
            return self.draw_on_insolvent(vault);
        }
        if self.chance(20) && !self.bad_debts().is_empty() {
            return self.draw_resolution();
        }
        let hunted = self.chance(30) && !self.unhealthy().is_empty();
        if hunted {
            return if self.chance(80) { self.draw_liquidation() } else { self.draw_resolution() };
        }
        match self.rng.random_range(0..1_000) {
            0..230 => Action::Deposit(self.draw_deposit()),
            230..370 => Action::Withdraw(self.draw_withdrawal()),
            370..640 => self.draw_loan(),
            640..750 => Action::Repay(self.draw_repayment()),
            750..780 => self.draw_liquidation(),
            780..820 => Action::Refresh { user: self.below(USERS), asset: self.asset() },
            820..850 => Action::Accrue { user: self.below(USERS), asset: self.asset() },
            850..890 => self.draw_challenge(),
            890..910 => self.draw_resolution(),
            910..950 => self.draw_opening(),
            _ => {
                let vault = self.vault_where(Vault::is_empty);
                Action::Close { user: self.mostly_owner(vault, 95), vault }
            }
        }
    }

    fn any_vault(&mut self) -> VaultId {
        VaultId { owner: self.below(USERS), index: self.below(VAULTS_EACH) }
    }

    /// A vault that is not open, if there is one; then mostly something else is done instead.
    fn draw_opening(&mut self) -> Action {
        let missing: Vec<VaultId> = Self::vault_ids().filter(|id| self.state.vault(*id).is_none()).collect();
        match missing.choose(&mut self.rng) {
            Some(id) if self.chance(95) => Action::Open { vault: *id },
            None if self.chance(90) => Action::Deposit(self.draw_deposit()),
            _ => Action::Open { vault: self.any_vault() },
        }
    }

    /// An open vault that passes `test`, or now and then any.
    fn vault_where(&mut self, test: impl Fn(&Vault) -> bool) -> VaultId {
        let fit: Vec<VaultId> = Self::vault_ids().filter(|id| self.state.vault(*id).is_some_and(&test)).collect();
        match fit.choose(&mut self.rng) {
            Some(id) if self.chance(97) => *id,
            _ => self.any_vault(),
        }
    }

    /// An asset that the vault has on `side`, or now and then any.
    fn asset_of(&mut self, vault: VaultId, side: Side) -> usize {
        let held: Vec<usize> = match self.state.vault(vault) {
            Some(v) => v.occupied().filter(|(_, s)| *s == side).map(|(p, _)| self.state.asset(&p.reserve)).collect(),
            None => vec![],
        };
        match held.choose(&mut self.rng) {
            Some(asset) if self.chance(95) => *asset,
            _ => self.asset(),
        }
    }

    fn position_side(&self, vault: VaultId, asset: usize) -> Option<Side> {
        self.state.vault(vault)?.find(&self.state.reserve_keys[asset])?.side()
    }

    /// The shares of a vault in an asset, in native units.
    fn position(&self, vault: VaultId, asset: usize) -> u64 {
        let Some(position) = self.state.vault(vault).and_then(|v| v.find(&self.state.reserve_keys[asset])) else {
            return 0;
        };
        let Ok(indices) = self.state.reserves[asset].pool().project(self.now) else { return 0 };
        let amount = match position.side() {
            Some(Side::Collateral) => indices.supply.amount_of(position.supply_shares()),
            _ => indices.debt.amount_owed(position.debt_shares()),
        };
        amount.map_or(0, |a| a.0)
    }

    fn exact_or_all(&mut self, typical: u64, all_percent: u32) -> AmountSpec {
        if self.chance(all_percent) { AmountSpec::All } else { AmountSpec::Exact(self.draw_amount(typical)) }
    }

    /// Mostly the owner.
    fn mostly_owner(&mut self, vault: VaultId, percent: u32) -> usize {
        if self.chance(percent) { vault.owner } else { self.below(USERS) }
    }

    fn draw_deposit(&mut self) -> FlowOf {
        let vault = self.vault_where(|_| true);
        self.draw_deposit_to(vault)
    }

    fn draw_deposit_to(&mut self, vault: VaultId) -> FlowOf {
        let owes = |asset: usize| self.position_side(vault, asset) == Some(Side::Debt);
        let fit: Vec<usize> = (0..self.spot.len()).filter(|asset| !owes(*asset)).collect();
        let asset = match fit.choose(&mut self.rng) {
            Some(asset) if self.chance(55) => *asset,
            _ => self.asset_of(vault, Side::Collateral),
        };
        let user = self.mostly_owner(vault, 88);
        // Everybody's second vault has hardly more than the minimum position, so that a crash leaves bad debt.
        let dollars = if vault.index == 1 { [20, 30, 60, 20_000] } else { [25, 60, 20_000, 60_000] }[self.below(4)];
        let typical = self.worth(asset, dollars).min(self.state.wallets[user][asset]);
        let amount = self.exact_or_all(typical, 2);
        FlowOf { user, vault, asset, amount }
    }

    fn draw_withdrawal(&mut self) -> FlowOf {
        let vault = self.vault_where(|v| v.has(Side::Collateral));
        let asset = self.asset_of(vault, Side::Collateral);
        let held = self.position(vault, asset);
        let indebted = self.state.vault(vault).is_some_and(|v| v.has(Side::Debt));
        let typical = if indebted { held.min(self.room(vault, asset, Side::Collateral)) } else { held };
        let amount = self.exact_or_all(typical, 12);
        FlowOf { user: self.mostly_owner(vault, 97), vault, asset, amount }
    }

    fn draw_loan(&mut self) -> Action {
        let vault = self.vault_where(|v| v.has(Side::Collateral));
        let room = |asset: usize| self.room(vault, asset, Side::Debt).min(self.state.reserves[asset].available);
        let fit = |asset: &usize| self.position_side(vault, *asset) != Some(Side::Collateral) && room(*asset) > 0;
        let borrowable: Vec<usize> = (0..self.spot.len()).filter(fit).collect();
        let asset = match borrowable.choose(&mut self.rng) {
            Some(asset) if self.chance(95) => *asset,
            None if self.chance(80) => return Action::Deposit(self.draw_deposit_to(vault)),
            _ => self.asset(),
        };
        let room = self.room(vault, asset, Side::Debt).min(self.state.reserves[asset].available);
        let amount = if self.chance(99) { AmountSpec::Exact(self.draw_amount(room)) } else { AmountSpec::All };
        Action::Borrow(FlowOf { user: self.mostly_owner(vault, 98), vault, asset, amount })
    }

    /// Native units of `asset` that the vault may borrow, or withdraw if it is collateral, as far as health goes.
    fn room(&self, vault: VaultId, asset: usize, side: Side) -> u64 {
        let state = &self.state;
        let room = || {
            let value = state.value(state.vault(vault)?, Purpose::NewRisk).ok()?.totals;
            let reserve = &state.reserves[asset];
            let price = reserve.new_risk_price(&state.readings[asset], side, &state.moment).ok()?;
            let mut room = value.limit.0.sub_or_zero(value.debt.0);
            if side == Side::Collateral {
                room = room.div_floor(reserve.collateral_factor(Purpose::NewRisk).ok()?).ok()?;
            }
            price.amount_floor(Usd(room)).ok()
        };
        room().unwrap_or(Amount(1_000)).0
    }

    fn draw_repayment(&mut self) -> FlowOf {
        let vault = self.vault_where(|v| v.has(Side::Debt));
        let asset = self.asset_of(vault, Side::Debt);
        let amount = self.exact_or_all(self.position(vault, asset), 20);
        FlowOf { user: self.mostly_owner(vault, 75), vault, asset, amount }
    }

    /// Vaults that a liquidation would not refuse as healthy.
    fn unhealthy(&self) -> Vec<VaultId> {
        let unhealthy = |vault: &Vault| {
            vault.has(Side::Debt) && self.state.value(vault, Purpose::Liquidation).is_ok_and(|v| !v.totals.is_healthy())
        };
        Self::vault_ids().filter(|id| self.state.vault(*id).is_some_and(unhealthy)).collect()
    }

    /// Vaults that owe more than they have, and have too little to seize.
    fn bad_debts(&self) -> Vec<VaultId> {
        let bad = |vault: &Vault| {
            let (value, min) = (self.state.value(vault, Purpose::Liquidation), self.market.min_position());
            matches!((value, min), (Ok(v), Ok(min)) if v.totals.is_bad_debt(min))
        };
        Self::vault_ids().filter(|id| self.state.vault(*id).is_some_and(bad)).collect()
    }

    fn hunted_vault(&mut self) -> VaultId {
        let unhealthy = self.unhealthy();
        match unhealthy.choose(&mut self.rng) {
            Some(id) if self.chance(92) => *id,
            _ => self.vault_where(|v| v.has(Side::Debt)),
        }
    }

    fn draw_liquidation(&mut self) -> Action {
        let vault = self.hunted_vault();
        let debt = self.asset_of(vault, Side::Debt);
        let collateral = self.asset_of(vault, Side::Collateral);
        let keeper = if self.chance(60) {
            (0..USERS).max_by_key(|user| self.state.wallets[*user][debt]).unwrap_or(0)
        } else {
            self.mostly_owner(vault, 15)
        };
        let max_repay = if self.chance(45) { u64::MAX } else { self.draw_amount(self.position(vault, debt)) };
        let min_seize = if self.chance(75) { 0 } else { self.draw_amount(self.position(vault, collateral)) };
        Action::Liquidate { keeper, vault, debt, collateral, max_repay, min_seize }
    }

    fn draw_resolution(&mut self) -> Action {
        let vault = match (self.insolvent(), self.bad_debts().choose(&mut self.rng)) {
            (Some(id), _) if self.chance(50) => id,
            (_, Some(id)) if self.chance(80) => *id,
            _ => self.hunted_vault(),
        };
        let side = if self.chance(60) { Side::Debt } else { Side::Collateral };
        Action::Resolve { user: self.below(USERS), vault, asset: self.asset_of(vault, side) }
    }

    /// A vault whose bad debt is being resolved.
    fn insolvent(&mut self) -> Option<VaultId> {
        let marked = |id: &VaultId| self.state.vault(*id).is_some_and(Vault::is_insolvent);
        let marked: Vec<VaultId> = Self::vault_ids().filter(marked).collect();
        marked.choose(&mut self.rng).copied()
    }

    /// Its owner would like to save what is left.
    fn draw_on_insolvent(&mut self, vault: VaultId) -> Action {
        let side = if self.chance(50) { Side::Debt } else { Side::Collateral };
        let asset = self.asset_of(vault, side);
        let amount = self.exact_or_all(self.position(vault, asset), 30);
        let flow = FlowOf { user: vault.owner, vault, asset, amount };
        match self.below(11) {
            0..4 => Action::Resolve { user: self.below(USERS), vault, asset },
            4..7 => Action::Withdraw(FlowOf { asset: self.asset_of(vault, Side::Collateral), ..flow }),
            7 => Action::Borrow(FlowOf { asset: self.asset(), ..flow }),
            8 => Action::Deposit(self.draw_deposit_to(vault)),
            9 => {
                let (debt, collateral) = (self.asset_of(vault, Side::Debt), self.asset_of(vault, Side::Collateral));
                Action::Liquidate {
                    keeper: self.below(USERS),
                    vault,
                    debt,
                    collateral,
                    max_repay: u64::MAX,
                    min_seize: 0,
                }
            }
            _ => Action::Repay(flow),
        }
    }

    fn draw_challenge(&mut self) -> Action {
        let user = self.below(USERS);
        if let Some((asset, feed)) = self.frozen
            && self.chance(80)
        {
            return Action::Challenge { user, asset, feed: u8::try_from(feed).unwrap() };
        }
        Action::Challenge { user, asset: self.asset(), feed: self.rng.random_range(0..3) }
    }
}
