//! Which step comes next: mostly plausible, often at a limit, sometimes absurd.

mod changes;
mod flash;
mod governance;
mod keepers;
mod life;
mod minted;
mod values;
mod vaults;

use super::action::{Action, VaultId};
use super::arena::{Arena, Move, USERS, VAULTS_EACH};
use super::oracle::Fault;
use super::specs::MINTED;
use keel::AmountSpec;
use keel::state::{Side, Vault};
use rand::Rng;
use rand::seq::IndexedRandom;

/// One step of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The instructions of one transaction, all by the same signer.
    Act(Vec<Action>),
    /// Something else.
    Happen(Move),
}

impl Arena {
    /// Draws the next step from the generator and the present state.
    pub fn draw(&mut self) -> Step {
        if self.still > 0 {
            self.still -= 1;
            return Step::Act(self.draw_transaction());
        }
        if let Some(nonce) = self.awaited.take()
            && self.chance(90)
        {
            return Step::Act(vec![self.draw_execution_of(nonce)]);
        }
        if self.rng.random_ratio(1, 4) { Step::Happen(self.draw_move()) } else { Step::Act(self.draw_transaction()) }
    }

    fn draw_transaction(&mut self) -> Vec<Action> {
        if self.state.market.paused_at(self.now) != 0 && self.chance(2) {
            return vec![self.lift()];
        }
        if self.chance(4) && !self.unhealthy().is_empty() {
            return self.draw_around_liquidation();
        }
        match self.rng.random_range(0..1_000) {
            0..50 => self.draw_flash_loan(),
            50..105 => vec![self.draw_vault_life()],
            105..110 => vec![self.draw_pause()],
            110..200 => vec![self.draw_governance()],
            _ => vec![self.draw_action()],
        }
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

    /// An asset that has feeds, and that can be given to users at will.
    fn pooled_asset(&mut self) -> usize {
        let asset = self.below(self.spot.len() - 1);
        if asset < MINTED { asset } else { asset + 1 }
    }

    fn draw_move(&mut self) -> Move {
        if let Some(waiting) = self.draw_waiting() {
            return waiting;
        }
        let asset = self.pooled_asset();
        let feed = self.below(self.world.assets[asset].prices.len());
        match self.rng.random_range(0..1_000) {
            0..560 => Move::Walk { seed: self.rng.random() },
            560..690 => Move::Pass { seconds: self.draw_seconds(), publish: self.chance(75) },
            690..770 => Move::Jump { asset, bps: self.draw_jump() },
            770..860 => {
                let feed = self.below(self.quoted(asset).len());
                Move::Misprice { asset, feed, fault: self.draw_fault() }
            }
            860..890 => Move::Freeze { asset, feed },
            890..925 => Move::Thaw,
            925..945 => self.draw_gift(),
            945..965 => {
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
            && self.chance(30)
        {
            return self.draw_on_insolvent(vault);
        }
        if self.chance(35) && !self.bad_debts().is_empty() {
            return self.draw_resolution();
        }
        let hunted = self.chance(38) && !self.unhealthy().is_empty();
        if hunted {
            return if self.chance(80) { self.draw_liquidation() } else { self.draw_resolution() };
        }
        match self.rng.random_range(0..1_000) {
            0..200 => Action::Deposit(self.draw_deposit()),
            200..310 => Action::Withdraw(self.draw_withdrawal()),
            310..560 => self.draw_loan(),
            560..650 => Action::Repay(self.draw_repayment()),
            650..670 => self.draw_liquidation(),
            670..700 => Action::Refresh { user: self.below(USERS), asset: self.asset() },
            700..720 => Action::Accrue { user: self.below(USERS), asset: self.asset() },
            720..750 => self.draw_challenge(),
            750..770 => self.draw_resolution(),
            770..850 => self.draw_swap(),
            850..930 => self.draw_redemption(),
            930..960 => self.draw_opening(),
            _ => {
                let vault = self.vault_where(Vault::is_empty);
                Action::Close { user: self.mostly_owner(vault, 95), vault }
            }
        }
    }

    fn any_vault(&mut self) -> VaultId {
        VaultId { opener: self.below(USERS), index: self.below(VAULTS_EACH) }
    }

    /// An open vault that passes `test`, or now and then any.
    fn vault_where(&mut self, test: impl Fn(&Vault) -> bool) -> VaultId {
        let fit: Vec<VaultId> = Self::vault_ids().filter(|id| self.state.vault(*id).is_some_and(&test)).collect();
        match fit.choose(&mut self.rng) {
            Some(id) if self.chance(97) => *id,
            _ => self.any_vault(),
        }
    }

    /// Who acts on a vault, and to whom tokens go: mostly its owner with `percent`, else its delegate, if there is one, or
    /// anybody.
    fn draw_actor(&mut self, vault: VaultId, percent: u32) -> (usize, usize) {
        let owner = self.owner(vault);
        let delegate = self.state.vault(vault).and_then(|v| Some((self.player_at(&v.delegate)?, v.delegate_until)));
        match delegate {
            Some((delegate, until)) if self.chance(if self.now < until { 25 } else { 5 }) => {
                (delegate, if self.chance(50) { owner } else { delegate })
            }
            _ if self.chance(percent) => (owner, if self.chance(97) { owner } else { self.below(USERS) }),
            _ => {
                let user = self.below(USERS);
                (user, user)
            }
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
        if self.chance(percent) { self.owner(vault) } else { self.below(USERS) }
    }
}
