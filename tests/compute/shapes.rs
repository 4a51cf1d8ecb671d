//! The situations that are measured.

use crate::measure::{Measurement, measure};
use anyhow::{Context, Result};
use keel::AmountSpec::Exact;
use keel::state::{GroupConfig, RateConfig};
use keel_client::instruction::{self, Liquidation};
use keel_tests::world::User;
use keel_tests::{AssetSpec, Chain, LiteChain, World};
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Collateral and debt positions, and price feeds of every asset. Those of 8 + 8 and 15 + 1 use all 16 slots.
type Shape = (usize, usize, usize);

/// With the features that cost something switched off: haircuts that stand still, a kinked curve, no outflow limits.
const PLAIN: [Shape; 5] = [(1, 1, 1), (4, 4, 1), (8, 8, 1), (8, 8, 2), (15, 1, 2)];
/// With all of them on, in an efficiency group, while haircuts move and rates drift.
const ALL_ON: [Shape; 4] = [(1, 1, 1), (8, 8, 1), (8, 8, 2), (15, 1, 2)];

/// Every instruction in every shape it depends on.
pub fn measure_all() -> Vec<Measurement> {
    let mut all = setup();
    all.extend(PLAIN.into_iter().flat_map(|shape| Bench::new(LiteChain::new(), shape, false).run()));
    all.extend(ALL_ON.into_iter().flat_map(|shape| Bench::new(LiteChain::new(), shape, true).run()));
    all
}

/// An asset with every feature on that costs compute units.
fn all_on(mut spec: AssetSpec) -> AssetSpec {
    let c = &mut spec.config;
    c.volatility.multiple_bps = 20_000;
    c.volatility.concentration_bps = 300;
    c.limits.depth = 2_000_000_000_000;
    c.limits.hourly_outflow = 500_000_000_000;
    c.limits.daily_outflow = 900_000_000_000;
    c.group = GroupConfig {
        id: 1,
        max_ltv_bps: 7_600,
        liquidation_threshold_bps: 8_600,
        min_bonus_bps: 200,
        max_bonus_bps: 1_000,
        max_bonus_health_bps: 9_500,
    };
    c.rates = RateConfig {
        model: RateConfig::ADAPTIVE,
        optimal_utilization_bps: 9_000,
        reserve_factor_bps: 1_000,
        steepness_bps: 40_000,
        speed_bps: 500_000,
        min_at_target_bps: 10,
        max_at_target_bps: 20_000,
        initial_at_target_bps: 400,
        ..RateConfig::default()
    };
    spec
}

/// Leaves the register trace of one instruction in one shape in `SBF_TRACE_DIR`, and of nothing else.
pub fn trace(instruction: &str, shape: Shape) -> Result<()> {
    let folder =
        std::env::var("SBF_TRACE_DIR").context("SBF_TRACE_DIR is not set: it names the folder for the trace")?;
    let mut bench = Bench::new(LiteChain::tracing(), shape, instruction.ends_with("_all_on"));
    bench.only = Some((instruction.into(), folder));
    for m in bench.run() {
        println!("{}: {} compute units", m.instruction, m.compute_units);
    }
    Ok(())
}

/// The instructions that create and remove accounts.
fn setup() -> Vec<Measurement> {
    let mut w = World::new(LiteChain::new());
    let governance = w.governance.insecure_clone();
    let run = |w: &mut World<LiteChain>, name: &str, instruction: Instruction, signers: &[&Keypair]| {
        measure(&mut w.chain, name, (0, 0), &[instruction], signers, &[])
    };
    let mut all = Vec::new();
    let create = w.init_market_ix(1, keel_tests::world::market_params());
    all.push(run(&mut w, "init_market", create, &[&governance]));
    let spec = AssetSpec::usdc();
    let asset = w.list(&spec);
    let mint = w.create_mint(spec.decimals, &spec.token_program);
    let (config, prices) = (w.reserve(asset).config, w.assets[asset].prices.clone());
    let [queue, list] = w.list_ixs(mint, spec.token_program, config, &prices);
    all.push(run(&mut w, "queue_change", queue, &[&governance]));
    all.push(run(&mut w, "init_reserve", list, &[&governance]));
    let owner = w.chain.funded();
    let open = instruction::open_vault(owner.pubkey(), owner.pubkey(), w.market, 0);
    all.push(run(&mut w, "open_vault", open, &[&owner]));
    let user = User { vault: keel_client::address::vault(&w.market, &owner.pubkey(), 0), keypair: owner };
    w.fund(&user.key(), asset, 1_000);
    let deposit = instruction::deposit(&w.book, &w.actor(&user, asset), Exact(1_000)).unwrap();
    all.push(run(&mut w, "deposit_new_slot", deposit, &[&user.keypair]));
    w.withdraw(&user, asset, keel::AmountSpec::All).unwrap();
    let close = instruction::close_vault(user.key(), user.vault);
    all.push(run(&mut w, "close_vault", close, &[&user.keypair]));
    all
}

struct Bench {
    w: World<LiteChain>,
    user: User,
    keeper: Keypair,
    shape: (usize, usize),
    suffix: &'static str,
    /// Price of the collateral, in cents, at which the vault may be liquidated.
    crash: i64,
    /// The one instruction to measure, and the folder to empty before it.
    only: Option<(String, String)>,
}

/// Where a vault's only collateral starts and its only debt; with more of each, these are the first of their kind.
const COLLATERAL: usize = 0;

impl Bench {
    /// A vault with `collaterals` of 1,000 dollars each, borrowed against to 90 % of its limit, a minute ago.
    fn new(chain: LiteChain, (collaterals, debts, feeds): Shape, on: bool) -> Self {
        let mut w = World::new(chain);
        for _ in 0..collaterals + debts {
            let spec = AssetSpec { feeds, ..AssetSpec::new(6, 1_00) };
            w.list(&if on { all_on(spec) } else { spec });
        }
        let each = w.assets[COLLATERAL].whole(1_000);
        let lender_amount = w.assets[COLLATERAL].whole(1_000_000);
        let lenders: Vec<User> = (0..collaterals + debts).map(|asset| w.supplier(asset, lender_amount)).collect();
        for (asset, lender) in lenders.iter().enumerate().take(collaterals) {
            // Somebody borrows the collateral too, so that its index moves and has to be projected.
            let other = (asset + collaterals + debts - 1) % (collaterals + debts);
            w.fund(&lender.key(), other, 0);
            w.borrow(lender, other, lender_amount / 10).unwrap();
        }
        let user = w.user();
        w.publish_table();
        if on {
            // Prices that moved: the haircuts are on their way up.
            for cents in [1_01, 1_00] {
                w.pass(120);
                for asset in 0..collaterals + debts {
                    w.set_price(asset, cents);
                    w.refresh(asset).unwrap();
                }
            }
            let vault = w.vault(&user.vault);
            let join = instruction::set_efficiency_group(&w.book, user.key(), user.vault, &vault, 1).unwrap();
            w.send(join, &user.keypair).unwrap();
        }
        for asset in 0..collaterals {
            w.fund(&user.key(), asset, each * 2);
            w.deposit(&user, asset, Exact(each)).unwrap();
        }
        // max_ltv 75 % of a haircut of 2 %, and the confidence on both sides.
        let borrowed = each * collaterals as u64 / debts as u64 * 66 / 100;
        for asset in collaterals..collaterals + debts {
            w.fund(&user.key(), asset, 0);
            w.borrow(&user, asset, borrowed).unwrap();
        }
        let keeper = w.chain.funded();
        for asset in 0..collaterals + debts {
            w.fund(&keeper.pubkey(), asset, each * 100);
        }
        w.pass(60);
        w.refresh_prices();
        let suffix = match (feeds, on) {
            (2, false) => "_2_feeds",
            (2, true) => "_2_feeds_all_on",
            (_, false) => "",
            (_, true) => "_all_on",
        };
        Self { w, user, keeper, shape: (collaterals, debts), suffix, crash: if on { 75 } else { 78 }, only: None }
    }

    fn run(mut self) -> Vec<Measurement> {
        let debt = self.shape.0;
        let (book, vault) = (self.w.book.clone(), self.w.vault(&self.user.vault));
        let (of_collateral, of_debt) = (self.w.actor(&self.user, COLLATERAL), self.w.actor(&self.user, debt));
        let owner = self.user.keypair.insecure_clone();
        let keeper = self.keeper.insecure_clone();
        let user_actions = [
            ("deposit", instruction::deposit(&book, &of_collateral, Exact(1_000_000)).unwrap()),
            ("withdraw", instruction::withdraw(&book, &vault, &of_collateral, Exact(1_000_000)).unwrap()),
            ("borrow", instruction::borrow(&book, &vault, &of_debt, 1_000_000).unwrap()),
            ("repay", instruction::repay(&book, &vault, &of_debt, Exact(1_000_000)).unwrap()),
        ];
        let mut all: Vec<Measurement> =
            user_actions.into_iter().filter_map(|(name, action)| self.measure(name, action, &owner)).collect();
        let refresh = instruction::refresh_reserve(&book, of_debt.reserve).unwrap();
        all.extend(self.measure("refresh_reserve", refresh, &keeper));
        for asset in 0..self.shape.0 {
            self.w.set_price(asset, self.crash);
        }
        let terms = Liquidation {
            keeper: keeper.pubkey(),
            vault: self.user.vault,
            debt_reserve: of_debt.reserve,
            collateral_reserve: of_collateral.reserve,
            max_repay: u64::MAX,
            min_seize: 1,
        };
        let liquidate = instruction::liquidate(&book, &vault, &terms).unwrap();
        all.extend(self.measure("liquidate", liquidate, &keeper));
        all
    }

    /// Measures from the same state every time.
    fn measure(&mut self, name: &str, action: Instruction, signer: &Keypair) -> Option<Measurement> {
        if let Some((only, folder)) = &self.only {
            if only.trim_end_matches("_all_on") != name {
                return None;
            }
            // What the setup left there.
            let _ = std::fs::remove_dir_all(folder);
        }
        let before = self.w.chain.svm.clone();
        let name = format!("{name}{}", self.suffix);
        let m = measure(&mut self.w.chain, &name, self.shape, &[action], &[signer], &self.w.tables);
        self.w.chain.svm = before;
        Some(m)
    }
}
