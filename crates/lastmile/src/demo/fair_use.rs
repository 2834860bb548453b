//! One plan of the demo has a fair use policy, one has not. A directory of before gets it once.

use domain::catalogue::fup::{Measure, Reset};
use service::{Actor, App, access::fup, catalogue::plans};

const POLICY: &str = "Fair use, 300 GB a month";
const PLAN: &str = "Home 20 Mbps";
const SLOW: &str = "Fair use 2 Mbps";

pub async fn policy(app: &App, actor: &Actor) -> anyhow::Result<()> {
    if fup::templates(app, actor).await?.iter().any(|known| known.template.name == POLICY) {
        return Ok(());
    }
    let offers = plans::offers(app, actor).await?;
    let Some(plan) = offers.iter().find(|offer| offer.plan.name == PLAN) else { return Ok(()) };
    let slow = plans::bandwidths(app, actor).await?.into_iter().find(|row| row.name == SLOW);
    let slow = match slow {
        Some(row) => row.id,
        None => {
            let command = plans::NewBandwidth {
                name: SLOW.into(),
                down_kbps: 2_000,
                down_unit: "Mbps".into(),
                up_kbps: 2_000,
                up_unit: "Mbps".into(),
                burst: None,
                priority: None,
            };
            plans::create_bandwidth(app, actor, command).await?.id
        }
    };
    let draft = fup::Draft {
        measure: Measure::Total,
        reset: Reset::Monthly { day: 1 },
        carry_forward: false,
        tiers: vec![(300_000_000_000, slow)],
        windows: Vec::new(),
    };
    let whole = fup::create(app, actor, POLICY.into(), draft).await?;
    fup::attach(app, actor, plan.plan.id, Some(whole.template.id)).await?;
    Ok(())
}
