//! 0002: the market exists. Whoever deploys governs it, without notice, until it is handed over.

use crate::BadInput;
use crate::commands::migrate::loader;
use crate::commands::migrate::{Site, Task};
use anyhow::Result;
use keel_client::keel;
use keel_client::keel::state::{Market, MarketParams};
use keel_client::{ClientError, address, instruction, view};

/// The market, if it exists.
pub fn find(site: &Site<'_>) -> Result<Option<Market>> {
    match view::market(&*site.context.transport, &address::market(site.deployment.market.id)) {
        Ok(market) => Ok(Some(market)),
        Err(ClientError::NoAccount { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub fn precondition(site: &Site<'_>) -> Result<()> {
    site.deployment.params()?;
    let id = site.deployment.market.id;
    if let Some(market) = find(site)? {
        let (user, successor) = (site.context.user()?, site.deployment.governance()?);
        if market.governance != user && market.governance != successor {
            return Err(BadInput::error(format!(
                "market {id} exists and is governed by {}: neither by the signer {user} nor by whom the deployment file names; \
                 choose another market.id",
                market.governance
            )));
        }
        return Ok(());
    }
    match loader::deployed(&*site.context.transport, &keel::ID)? {
        Some(_) => Ok(()),
        None => Err(BadInput::error(format!("nothing is deployed at {}: step 1 comes first", keel::ID))),
    }
}

pub fn remaining(site: &Site<'_>) -> Result<Vec<Task>> {
    if find(site)?.is_some() {
        return Ok(Vec::new());
    }
    let (deployment, user) = (&site.deployment, site.context.user()?);
    // Without notice while it is set up: step 4 sets the delay.
    let params = MarketParams { delay: 0, ..deployment.params()? };
    let (guardian, steward) = (deployment.guardian()?, deployment.risk_steward());
    let id = deployment.market.id;
    let create = instruction::init_market(user, user, id, params, guardian, steward);
    Ok(vec![Task::send(format!("create market {id} ({})", address::market(id)), vec![create])])
}
