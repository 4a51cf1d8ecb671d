//! The market, the users, and what happens around them.

use super::action::{Action, VaultId};
use super::build::transaction;
use super::oracle::{Fault, Source, sources};
use super::specs::{MINTED, SWAPPED, WEALTH, minted, params, specs};
use super::view::Snapshot;
use crate::chain::{Chain, Failure, LiteChain, Receipt};
use crate::world::World;
use anchor_lang::prelude::Pubkey;
use anchor_spl::token_2022::spl_token_2022;
use keel::state::{Change, ReserveConfig, Role};
use keel_client::address;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Users of an arena.
pub const USERS: usize = 10;
/// Number of the player who governs at first, after all users.
pub const GOVERNANCE: usize = USERS;
/// Number of the player who guards at first.
pub const GUARDIAN: usize = USERS + 1;
/// Number of the first risk steward.
pub const STEWARD: usize = USERS + 2;
/// Vaults that a user may have.
pub const VAULTS_EACH: usize = 2;
/// Exponent of [`Arena::spot`].
pub const SPOT_EXPONENT: i32 = -8;

/// A user with tokens of every asset, or an officer of the market, who starts with none and opens no vault.
pub struct Player {
    /// Signs.
    pub keypair: Keypair,
    /// Token account per asset.
    pub tokens: Vec<Pubkey>,
    vaults: Vec<Pubkey>,
}

impl Player {
    /// The user's address.
    pub fn key(&self) -> Pubkey {
        self.keypair.pubkey()
    }
}

/// What happens around the users. None of it is an instruction of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Time passes; then all feeds publish, or prices stay as posted.
    Pass { seconds: i64, publish: bool },
    /// The same, for a moment that matters to a queued change, which somebody then may try to execute.
    Await { nonce: u64, seconds: i64, publish: bool },
    /// Every price takes a small step, toward where it began, and all feeds publish.
    Walk { seed: u64 },
    /// One price is multiplied by so many basis points, and all feeds publish.
    Jump { asset: usize, bps: u32 },
    /// One feed publishes something bad.
    Misprice { asset: usize, feed: usize, fault: Fault },
    /// One feed stops to publish.
    Freeze { asset: usize, feed: usize },
    /// It publishes again.
    Thaw,
    /// New tokens for a user.
    Fund { user: usize, asset: usize, amount: u64 },
    /// A user sends tokens to a reserve's liquidity account, past the program.
    Donate { user: usize, asset: usize, amount: u64 },
    /// A user gives minted tokens to another.
    Give { from: usize, to: usize, amount: u64 },
    /// The cluster restarts.
    Restart,
    /// All feeds publish, then for so many instructions neither prices nor time change.
    Still { instructions: u32 },
}

/// A market, its users, and the generator of what they do.
pub struct Arena {
    /// Market and chain.
    pub world: World<LiteChain>,
    /// The users, then the officers.
    pub players: Vec<Player>,
    /// Where the steps come from.
    pub rng: ChaCha8Rng,
    /// All accounts, as of the last step.
    pub state: Snapshot,
    /// Time.
    pub now: i64,
    /// Slot of the last restart.
    pub last_restart_slot: u64,
    /// Slot.
    pub slot: u64,
    /// True price by asset, in [`SPOT_EXPONENT`].
    pub spot: Vec<i64>,
    /// Where each began.
    base: Vec<i64>,
    /// How each reserve began: what governance comes back to.
    pub(super) configs: Vec<ReserveConfig>,
    /// Every feed that an asset could be priced by, by asset.
    pub(super) sources: Vec<Vec<Source>>,
    /// The queued changes that are open: their numbers, and where they are.
    pub(super) open: Vec<(u64, Pubkey)>,
    /// The one that was waited for.
    pub(super) awaited: Option<u64>,
    /// Asset and feed that do not publish.
    pub frozen: Option<(usize, usize)>,
    /// Instructions left for which prices and time stand still.
    pub still: u32,
    /// Vaults that were closed at some time.
    pub closed: Vec<VaultId>,
}

impl Arena {
    /// A market whose every later step follows from `seed`.
    pub fn new(seed: u64) -> Self {
        let specs = specs(seed);
        let mut world = World::with(LiteChain::new(), &specs);
        assert_eq!(world.list_minted(minted(), SWAPPED), MINTED);
        let officers = [&world.governance, &world.guardian, &world.risk_steward].map(Keypair::insecure_clone);
        world.change_market(Change::Market(params())).unwrap();
        world.publish_table();
        let mut players: Vec<Player> = (0..USERS).map(|_| user(&mut world)).collect();
        players.extend(officers.map(|keypair| player(&mut world, keypair, [0; WEALTH.len()])));
        let spot: Vec<i64> = world.assets.iter().map(|asset| asset.cents * 1_000_000).collect();
        let clock = world.chain.clock();
        let configs = (0..world.assets.len()).map(|asset| world.reserve(asset).config).collect();
        let mut arena = Self {
            sources: sources(&world.assets),
            world,
            players,
            rng: ChaCha8Rng::seed_from_u64(seed),
            state: Snapshot::empty(),
            now: clock.unix_timestamp,
            last_restart_slot: 0,
            slot: clock.slot,
            base: spot.clone(),
            configs,
            open: vec![],
            awaited: None,
            spot,
            frozen: None,
            still: 0,
            closed: vec![],
        };
        arena.state = Snapshot::take(&arena);
        arena
    }

    /// Whether an asset is created when it is lent.
    pub fn is_minted(&self, asset: usize) -> bool {
        self.state.reserves[asset].is_minted()
    }

    /// Every vault that there could be, by who opens it.
    pub fn vault_ids() -> impl Iterator<Item = VaultId> {
        (0..USERS * VAULTS_EACH).map(|i| VaultId { opener: i / VAULTS_EACH, index: i % VAULTS_EACH })
    }

    /// Their addresses.
    pub fn vault_keys(&self) -> impl Iterator<Item = &Pubkey> {
        self.players.iter().flat_map(|p| &p.vaults)
    }

    /// The address of a vault.
    pub fn vault_key(&self, id: VaultId) -> Pubkey {
        self.players[id.opener].vaults[id.index]
    }

    /// The vault at an address.
    pub fn vault_at(&self, key: &Pubkey) -> Option<VaultId> {
        Self::vault_ids().find(|id| self.vault_key(*id) == *key)
    }

    /// The user at an address.
    pub fn player_at(&self, key: &Pubkey) -> Option<usize> {
        self.players.iter().position(|p| p.key() == *key)
    }

    /// Who has a role; nobody may be the risk steward.
    pub fn holder(&self, role: Role) -> Option<usize> {
        self.player_at(&self.state.market.holder(role))
    }

    /// Whose vault it is; of one that is not open, who may open it.
    pub fn owner(&self, id: VaultId) -> usize {
        self.state.vault(id).and_then(|vault| self.player_at(&vault.owner)).unwrap_or(id.opener)
    }

    /// Sends the instructions of one transaction, all by the same signer. [`Self::state`] is that after it, even if it
    /// failed.
    pub fn act(&mut self, actions: &[Action]) -> Result<Receipt, Failure> {
        let instructions = transaction(self, actions);
        let signer = self.players[actions[0].signer()].keypair.insecure_clone();
        let outcome = self.world.chain.send_with_tables(&instructions, &[&signer], &self.world.tables);
        if outcome.is_ok() {
            actions.iter().for_each(|action| self.follow(action));
        }
        self.state = Snapshot::take(self);
        outcome
    }

    /// Lets something happen around the users.
    pub fn happen(&mut self, what: &Move) {
        match *what {
            Move::Pass { seconds, publish } => {
                self.pass(seconds);
                if publish {
                    self.publish();
                }
            }
            Move::Await { nonce, seconds, publish } => {
                self.pass(seconds);
                self.awaited = Some(nonce);
                if publish {
                    self.publish();
                }
            }
            Move::Walk { seed } => self.walk(seed),
            Move::Jump { asset, bps } => {
                // A dollar moves less.
                let bps = if asset == SWAPPED { (90_000 + i128::from(bps)) / 10 } else { bps.into() };
                self.spot[asset] = self.clamp(asset, i128::from(self.spot[asset]) * bps / 10_000);
                self.publish();
            }
            Move::Misprice { asset, feed, fault } => self.misprice(asset, feed, fault),
            Move::Freeze { asset, feed } => self.frozen = Some((asset, feed)),
            Move::Thaw => {
                self.frozen = None;
                self.publish();
            }
            Move::Fund { user, asset, amount } => {
                let owner = self.players[user].key();
                self.world.fund(&owner, asset, amount);
            }
            Move::Donate { user, asset, amount } => {
                let liquidity = address::liquidity(&self.world.assets[asset].reserve);
                self.transfer(user, asset, &liquidity, amount);
            }
            Move::Give { from, to, amount } => {
                let to = self.players[to].tokens[MINTED];
                self.transfer(from, MINTED, &to, amount);
            }
            Move::Restart => {
                self.last_restart_slot = self.slot;
                self.world.chain.set_last_restart_slot(self.slot);
            }
            Move::Still { instructions } => {
                self.still = instructions;
                self.publish();
            }
        }
        self.state = Snapshot::take(self);
    }

    fn pass(&mut self, seconds: i64) {
        self.world.pass(seconds);
        let clock = self.world.chain.clock();
        self.now = clock.unix_timestamp;
        self.slot = clock.slot;
    }

    fn clamp(&self, asset: usize, price: i128) -> i64 {
        let base = i128::from(self.base[asset]);
        let (low, high) = if asset == SWAPPED { (base * 3 / 5, base * 13 / 10) } else { (base / 100, base * 10) };
        i64::try_from(price.clamp(low, high)).unwrap()
    }

    fn walk(&mut self, seed: u64) {
        use rand::Rng;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for asset in (0..self.spot.len()).filter(|asset| *asset != MINTED) {
            let (spot, base) = (i128::from(self.spot[asset]), i128::from(self.base[asset]));
            let noise: i128 = rng.random_range(-100..=100);
            let (noise, pull) = if asset == SWAPPED { (noise / 20, 10) } else { (noise, 30) };
            self.spot[asset] = self.clamp(asset, spot + spot * noise / 10_000 + (base - spot) / pull);
        }
        self.publish();
    }

    fn transfer(&mut self, user: usize, asset: usize, to: &Pubkey, amount: u64) {
        let (a, player) = (&self.world.assets[asset], &self.players[user]);
        let transfer = spl_token_2022::instruction::transfer_checked(
            &a.token_program,
            &player.tokens[asset],
            &a.mint,
            to,
            &player.key(),
            &[],
            amount.min(self.state.wallets[user][asset]),
            a.decimals,
        );
        let keypair = player.keypair.insecure_clone();
        self.world.chain.send(&[transfer.unwrap()], &[&keypair]).unwrap();
    }
}

fn user(world: &mut World<LiteChain>) -> Player {
    let keypair = world.chain.funded();
    let mut player = player(world, keypair, WEALTH);
    let key = player.key();
    player.vaults = [0, 1].map(|index| address::vault(&world.market, &key, index)).into();
    player
}

fn player(world: &mut World<LiteChain>, keypair: Keypair, wealth: [u64; WEALTH.len()]) -> Player {
    let key = keypair.pubkey();
    for (asset, whole) in wealth.iter().enumerate() {
        let amount = world.assets[asset].whole(*whole);
        world.fund(&key, asset, amount);
    }
    let tokens = (0..wealth.len()).map(|asset| world.token_account(&key, asset)).collect();
    Player { keypair, tokens, vaults: vec![] }
}
