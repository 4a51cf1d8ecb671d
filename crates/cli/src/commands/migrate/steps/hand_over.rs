//! 0004: the market, and then the program, belong to governance, and every change needs notice.

use super::{assets, market};
use crate::BadInput;
use crate::amount;
use crate::commands::change;
use crate::commands::migrate::loader;
use crate::commands::migrate::{Site, Task};
use anyhow::Result;
use keel_client::address;
use keel_client::change::Status;
use keel_client::instruction::{self, Queued};
use keel_client::keel;
use keel_client::keel::state::{Change, Market, MarketParams, Role};
use keel_client::view::{self, View};

pub fn precondition(site: &Site<'_>) -> Result<()> {
    site.deployment.governance()?;
    if site.deployment.params()?.delay == 0 {
        return Err(BadInput::error(
            "timelock.delay is zero in the deployment file: a market that is handed over has notice",
        ));
    }
    if market::find(site)?.is_none() {
        return Err(BadInput::error("there is no market yet: steps 2 and 3 come first"));
    }
    let missing = assets::missing(site)?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(BadInput::error(format!("{} is not listed yet: step 3 comes first", missing.join(", "))))
}

pub fn remaining(site: &Site<'_>) -> Result<Vec<Task>> {
    let Some(market) = market::find(site)? else { return Ok(Vec::new()) };
    let (user, successor) = (site.context.user()?, site.deployment.governance()?);
    let mut tasks = Vec::new();
    if market.governance == user && user != successor {
        tasks.extend(offer(site, &market)?);
    }
    let delay = site.deployment.params()?.delay;
    if market.governance == user && market.delay < delay {
        let params = MarketParams { delay, ..market.params() };
        let tighten = instruction::tighten(user, key(site), None, Change::Market(params));
        tasks.push(Task::send(format!("let every change wait for {}", amount::duration(delay.into())), vec![tighten]));
    }
    if market.governance != successor {
        let accept = vec![instruction::accept_role(successor, key(site), Role::Governance)];
        let what = format!("{successor} takes over as governance");
        tasks.push(match &site.successor {
            Some(signer) if signer.try_pubkey()? == successor => Task::signed(what, accept, signer.clone()),
            Some(_) => return Err(BadInput::error("market.accept_with is not the keypair of market.governance")),
            None => Task::wait(what, accept),
        });
    }
    // Last: by then governance has shown that it can sign.
    let (program, authority) = (keel::ID, site.deployment.upgrade_authority()?);
    let deployed = loader::deployed(&*site.context.transport, &program)?;
    match deployed.and_then(|deployed| deployed.authority) {
        Some(current) if current == user && user != authority => {
            let give = loader::set_authority(&program, &user, &authority);
            tasks.push(Task::send(format!("give the right to replace the program to {authority}"), vec![give]));
        }
        Some(current) if current != authority => {
            let give = loader::set_authority(&program, &current, &authority);
            tasks.push(Task::wait(
                format!("{current} gives the right to replace the program to {authority}"),
                vec![give],
            ));
        }
        _ => {}
    }
    Ok(tasks)
}

fn key(site: &Site<'_>) -> anchor_lang::prelude::Pubkey {
    address::market(site.deployment.market.id)
}

/// What is left until governance is offered to its successor.
fn offer(site: &Site<'_>, market: &Market) -> Result<Vec<Task>> {
    let (user, successor) = (site.context.user()?, site.deployment.governance()?);
    let view = View::fetch(&*site.context.transport, &key(site))?;
    let offer = market.offers.get(Role::Governance.number()).copied().unwrap_or_default();
    if offer.to == successor && view.time.now <= offer.until {
        return Ok(Vec::new());
    }
    let what = format!("offer governance to {successor}");
    let change = Change::Role { role: Role::Governance, to: successor };
    let waiting = view::changes(&*site.context.transport, &key(site))?.into_iter().find(|pending| {
        let is_open = !matches!(change::status(&view, pending), Status::Expired(_) | Status::Superseded);
        is_open && pending.change().is_ok_and(|found| found == change)
    });
    let queued = Queued { market: key(site), nonce: market.next_change, rent_payer: user };
    Ok(vec![match waiting {
        // Set up without notice: at once.
        None if market.delay == 0 => Task::send(
            what,
            vec![
                instruction::queue_change(user, &queued, key(site), change),
                instruction::execute_change(&queued, None, &[]),
            ],
        ),
        None => {
            Task::send(format!("announce to {what}"), vec![instruction::queue_change(user, &queued, key(site), change)])
        }
        Some(pending) => {
            let execute = vec![instruction::execute_change(&change::queued(&pending), None, &[])];
            if view.time.now >= pending.earliest {
                Task::send(what, execute)
            } else {
                let when = amount::when(pending.earliest, view.time.now);
                Task::wait(format!("{what}: change {} can be executed {when}", pending.nonce), execute)
            }
        }
    }])
}
