//! From nothing to a market that is handed over.

use anchor_lang::prelude::{Clock, Pubkey};
use keel_cli::assets::Labels;
use keel_cli::commands::doctor::{Doctor, Facts, Severity, examine};
use keel_cli::commands::migrate::deployment::Deployment;
use keel_cli::commands::migrate::{Site, loader, migrate};
use keel_cli::context::Context;
use keel_cli::report::Report;
use keel_client::keel::state::{Market, Reserve};
use keel_client::price_update::{self, PYTH_RECEIVER};
use keel_client::token::TOKEN_PROGRAM;
use keel_client::transport::{InProcess, Transport};
use keel_client::{address, keel, view};
use keel_risk_price::Observation;
use litesvm::LiteSVM;
use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_signer::null_signer::NullSigner;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use keel_client::keel_risk::price as keel_risk_price;

pub const SOL_FEED: [u8; 32] = [7; 32];
pub const USD_FEED: [u8; 32] = [8; 32];

/// A deployment file of SOL, a dollar and the market's own token.
pub fn deployment(sol: &Pubkey, usd: &Pubkey, prices: [Pubkey; 2], rest: &str, program: &str) -> String {
    let asset = |name: &str, mint: &Pubkey, feed: [u8; 32], price: Pubkey| {
        let feed: String = feed.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            r#"
[[assets]]
name = "{name}"
mint = "{mint}"
[assets.parameters.oracle]
first_feed = "{feed}"
first_account = "{price}"
max_age_new_risk = "5min"
max_age_liquidation = "15min"
max_confidence_new_risk_bps = "2%"
max_confidence_liquidation_bps = "10%"
confidence_multiple_bps = "100%"
max_divergence_bps = "3%"
dead_after = "60min"
[assets.parameters.limits]
deposit_cap = 50000
borrow_cap = 30000
hourly_outflow = 5000
daily_outflow = 20000
[assets.parameters.collateral]
base_haircut_bps = "2%"
max_haircut_bps = "40%"
max_ltv_bps = "75%"
liquidation_threshold_bps = "85%"
min_bonus_bps = "2%"
max_bonus_bps = "10%"
max_bonus_health_bps = "95%"
protocol_share_bps = "10%"
[assets.parameters.volatility]
min_interval = "60s"
half_life = "1h"
max_return_bps = "10%"
multiple_bps = "300%"
horizon = "10min"
up_bps_per_hour = "1%"
down_bps_per_hour = "0.5%"
[assets.parameters.rates]
slope_bps = "10%"
excess_slope_bps = "200%"
optimal_utilization_bps = "80%"
reserve_factor_bps = "10%"
"#
        )
    };
    let [sol_price, usd_price] = prices;
    let sol = asset("SOL", sol, SOL_FEED, sol_price);
    let usd = asset("USD", usd, USD_FEED, usd_price);
    format!(
        r#"
[program]
{program}
[market]
id = 0
{rest}
[market.parameters.timelock]
delay = "2d"
{sol}{usd}
[minted]
swap = "USD"
[minted.parameters.limits]
borrow_cap = 10000
hourly_outflow = "none"
daily_outflow = "none"
swap_cap = 1000
[minted.parameters.rates]
base_bps = "5%"
reserve_factor_bps = "50%"
optimal_utilization_bps = "80%"
"#
    )
}

/// A price account's bytes, as of `now`.
pub fn price(feed: [u8; 32], cents: i64, now: i64) -> Vec<u8> {
    let price = cents * 1_000_000;
    let observation = Observation {
        price,
        confidence: price.unsigned_abs() / 2_000,
        ema_price: price,
        ema_confidence: price.unsigned_abs() / 2_000,
        exponent: -8,
        publish_time: now,
        posted_slot: 1,
    };
    price_update::encode(&price_update::update(feed, &observation))
}

/// A mint without authorities.
pub fn mint(decimals: u8) -> Vec<u8> {
    let mut data = vec![0; 82];
    (data[44], data[45]) = (decimals, 1);
    data
}

/// A chain without the program, whose signatures are taken for valid: nobody has the key of the program's address.
struct Empty {
    chain: Rc<InProcess>,
    deployer: Keypair,
    dao: Keypair,
    file: String,
}

const NOW: i64 = 1_700_000_000;

impl Empty {
    fn new() -> Self {
        let mut svm = LiteSVM::new().with_transaction_history(0);
        let clock = Clock { unix_timestamp: NOW, slot: 1_000, ..svm.get_sysvar() };
        svm.set_sysvar(&clock);
        let (deployer, dao) = (Keypair::new(), Keypair::new());
        svm.airdrop(&deployer.pubkey(), 100_000_000_000).unwrap();
        let mut place = |owner: Pubkey, data: Vec<u8>| {
            let key = Pubkey::new_unique();
            let lamports = svm.minimum_balance_for_rent_exemption(data.len());
            svm.set_account(key, Account { lamports, data, owner, ..Account::default() }).unwrap();
            key
        };
        let (sol, usd) = (place(TOKEN_PROGRAM, mint(9)), place(TOKEN_PROGRAM, mint(6)));
        let prices =
            [(SOL_FEED, 200_00), (USD_FEED, 1_00)].map(|(feed, cents)| place(PYTH_RECEIVER, price(feed, cents, NOW)));
        let roles = format!(
            "governance = \"{}\"\nguardian = \"{}\"\nrisk_steward = \"{}\"",
            dao.pubkey(),
            Pubkey::new_unique(),
            Pubkey::new_unique()
        );
        let so = std::env::var("KEEL_SO").unwrap();
        let file = deployment(&sol, &usd, prices, &roles, &format!("so = \"{so}\""));
        Self { chain: Rc::new(InProcess::trusting(svm)), deployer, dao, file }
    }

    fn context(&self) -> Context {
        let context = Context::on(Box::new(self.chain.clone()), Labels::default());
        context.signing(Box::new(self.deployer.insecure_clone()))
    }

    fn run(&self, context: &Context, to: u8, dao_signs: bool) -> anyhow::Result<Report> {
        let mut site = Site::new(context, Deployment::parse(&self.file, PathBuf::new()).unwrap()).unwrap();
        site.program = Some(Rc::new(NullSigner::new(&keel::ID)));
        if dao_signs {
            site.successor = Some(Rc::new(self.dao.insecure_clone()));
        }
        migrate(&site, 1, to)
    }
}

fn states(report: &Report) -> Vec<&str> {
    report.json.as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap()).collect()
}

#[test]
fn from_nothing_to_handed_over() {
    let empty = Empty::new();
    let context = empty.context();
    let mut dry = empty.context();
    dry.dry_run = true;
    let planned = empty.run(&dry, 5, true).unwrap();
    assert_eq!(states(&planned), ["would be done", "later", "later", "later", "later"], "{}", planned.text);
    assert!(empty.chain.account(&keel::ID).unwrap().is_none(), "nothing was sent");

    let first = empty.run(&context, 3, true).unwrap();
    assert_eq!(states(&first), ["done", "done", "done"], "{}", first.text);
    let market_key = address::market(0);
    let market = view::market(&*empty.chain, &market_key).unwrap();
    assert_eq!((market.governance, market.delay), (empty.deployer.pubkey(), 0));
    let reserves = view::reserves(&*empty.chain, &market_key).unwrap();
    assert_eq!(reserves.len(), 3);
    assert!(reserves.iter().all(|(_, reserve)| reserve.config.limits.borrow_cap > 0));

    // It stops where the DAO has to sign, and goes on from there.
    let waiting = empty.run(&context, 5, false).unwrap();
    assert!(!waiting.is_good && waiting.text.contains("for a proposal:"), "{}", waiting.text);
    assert_eq!(states(&waiting), ["done before", "done before", "done before", "waiting"]);
    let handed = empty.run(&context, 5, true).unwrap();
    assert_eq!(
        states(&handed),
        ["done before", "done before", "done before", "done", "done before"],
        "{}",
        handed.text
    );
    let market = view::market(&*empty.chain, &market_key).unwrap();
    assert_eq!((market.governance, market.delay), (empty.dao.pubkey(), 172_800));
    let deployed = loader::deployed(&*empty.chain, &keel::ID).unwrap().unwrap();
    assert_eq!(deployed.authority, Some(empty.dao.pubkey()));
    assert_eq!(loader::hash(&deployed.elf), loader::hash(&keel_tests::program()));

    let again = empty.run(&context, 5, true).unwrap();
    assert_eq!(states(&again), ["done before"; 5], "{}", again.text);
    // What was set up passes the doctor, but for the keypair that stands for a DAO here.
    let so = Some(PathBuf::from(std::env::var("KEEL_SO").unwrap()));
    let facts = Facts::fetch(&context, &Doctor { so, allow_keypair: true, ..Doctor::default() }).unwrap();
    let bad: Vec<_> = examine(&facts).into_iter().filter(|finding| finding.severity < Severity::Note).collect();
    assert_eq!(bad, []);
}

#[test]
fn an_interrupted_write_goes_on() {
    let empty = Empty::new();
    let context = empty.context();
    let elf = keel_tests::program();
    let buffer = loader::Buffer::new(empty.deployer.pubkey(), &elf).unwrap();
    buffer.write(&context).unwrap();
    // As if a transaction in the middle had never arrived.
    empty.chain.with(|svm| {
        let mut account = svm.get_account(&buffer.key).unwrap();
        account.data[50_000..60_000].fill(0);
        svm.set_account(buffer.key, account).unwrap();
    });
    assert!(!buffer.is_written(&*empty.chain).unwrap());
    let before = empty.chain.account(&empty.deployer.pubkey()).unwrap().unwrap().lamports;
    buffer.write(&context).unwrap();
    let spent = before - empty.chain.account(&empty.deployer.pubkey()).unwrap().unwrap().lamports;
    assert!(buffer.is_written(&*empty.chain).unwrap());
    assert!(spent < 20 * 5_000, "only what was missing was written: {spent} lamports");
}

#[test]
fn a_program_is_replaced_by_who_may() {
    let empty = Empty::new();
    let context = empty.context();
    let mut other = empty.file.clone();
    let pool = std::env::var("KEEL_MOCK_POOL_SO").unwrap();
    other = other.replace(&std::env::var("KEEL_SO").unwrap(), &pool);
    let pool = Empty {
        file: other,
        chain: empty.chain.clone(),
        deployer: empty.deployer.insecure_clone(),
        dao: empty.dao.insecure_clone(),
    };
    pool.run(&context, 1, true).unwrap();
    let was = loader::deployed(&*empty.chain, &keel::ID).unwrap().unwrap();
    // Larger than what is there.
    assert!(was.room < keel_tests::program().len());
    let replaced = empty.run(&context, 1, true).unwrap();
    assert!(replaced.text.contains("make room") && replaced.text.contains("replace the program"), "{}", replaced.text);
    let now = loader::deployed(&*empty.chain, &keel::ID).unwrap().unwrap();
    assert_eq!(loader::hash(&now.elf), loader::hash(&keel_tests::program()));
    // After the hand-over the DAO has to do it.
    empty.run(&context, 4, true).unwrap();
    let waiting = pool.run(&context, 1, true).unwrap();
    assert!(!waiting.is_good && waiting.text.contains(&empty.dao.pubkey().to_string()), "{}", waiting.text);
    assert!(waiting.json[0]["tasks"][1].as_str().unwrap().starts_with("give the buffer"), "{}", waiting.json);
}

#[test]
fn accounts_of_an_older_layout_are_brought_up_to_date() {
    let empty = Empty::new();
    let context = empty.context();
    empty.run(&context, 3, true).unwrap();
    let (key, _) = view::reserves(&*empty.chain, &address::market(0)).unwrap()[0];
    for (key, at) in [(key, 8), (address::market(0), 8)] {
        empty.chain.with(|svm| {
            let mut account = svm.get_account(&key).unwrap();
            account.data[at] = 1;
            svm.set_account(key, account).unwrap();
        });
    }
    let site = Site::new(&context, Deployment::parse(&empty.file, PathBuf::new()).unwrap()).unwrap();
    let upgraded = migrate(&site, 5, 5).unwrap();
    assert_eq!(upgraded.json[0]["tasks"].as_array().unwrap().len(), 2, "{}", upgraded.text);
    assert_eq!(view::market(&*empty.chain, &address::market(0)).unwrap().version, Market::VERSION);
    assert!(
        view::reserves(&*empty.chain, &address::market(0)).unwrap().iter().all(|(_, r)| r.version == Reserve::VERSION)
    );
}

#[test]
fn a_step_that_cannot_be_taken_says_what_comes_first() {
    let empty = Empty::new();
    let context = empty.context();
    let site = || Site::new(&context, Deployment::parse(&empty.file, PathBuf::new()).unwrap()).unwrap();
    for (step, says) in [
        (1, "program.keypair"),
        (2, "step 1 comes first"),
        (3, "step 2 comes first"),
        (4, "come first"),
        (5, "step 2 comes first"),
    ] {
        let error = migrate(&site(), step, step).unwrap_err();
        assert!(error.is::<keel_cli::BadInput>() && format!("{error:#}").contains(says), "{step}: {error:#}");
    }
    let mut wrong = site();
    wrong.program = Some(Rc::new(Keypair::new()));
    assert!(format!("{:#}", migrate(&wrong, 1, 1).unwrap_err()).contains("declare_id!"));
}

/// The example in migrations/README.md can be used as it is.
#[test]
fn the_example_is_a_deployment() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/README.md");
    let page = std::fs::read_to_string(page).unwrap();
    let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let example = example.replace("\"...\"", "\"So11111111111111111111111111111111111111112\"");
    let deployment = Deployment::parse(&example, PathBuf::new()).unwrap();
    deployment.params().unwrap().validate().unwrap();
    let config = deployment.assets[0].config(9).unwrap();
    config.validate(keel::state::Kind::Pooled).unwrap();
    assert_eq!((deployment.params().unwrap().delay, config.limits.deposit_cap), (259_200, 50_000_000_000_000));
}
