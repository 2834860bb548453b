//! `simulate routers`: a population against a server, a line a second, and what came of it.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use radius::Secret;

use super::{
    people::People,
    population::{self, Config, Counts, Pace, Summary},
};
use crate::cli::SimulateRouters;

pub fn run(options: &SimulateRouters) -> anyhow::Result<()> {
    let config = config(options)?;
    println!(
        "{:>6} {:>9} {:>9} {:>8} {:>10} {:>9} {:>9}",
        "s", "online", "accepted", "refused", "unanswered", "starts", "interims"
    );
    let summary = population::run(config, |elapsed, counts| {
        let Counts { online, accepted, refused, unanswered, starts, interims, .. } = counts;
        let s = elapsed.as_secs();
        println!("{s:>6} {online:>9} {accepted:>9} {refused:>8} {unanswered:>10} {starts:>9} {interims:>9}");
    })?;
    print!("{}", told(&summary, options.users));
    Ok(())
}

fn config(options: &SimulateRouters) -> anyhow::Result<Config> {
    let found = (&*options.target, options.auth).to_socket_addrs();
    let mut found = found.with_context(|| format!("--target {}", options.target))?;
    let auth = found.next().with_context(|| format!("--target {}: no address", options.target))?;
    if !auth.ip().is_loopback() && !options.allow_remote {
        bail!("{} is another machine: a load against it needs its owner's consent and --allow-remote", auth.ip());
    }
    Ok(Config {
        people: People {
            count: options.users,
            user_prefix: options.user_prefix.clone(),
            pass_prefix: options.pass_prefix.clone(),
            routers: addresses(auth.ip(), options.routers),
            secret: Secret::new(&options.secret),
            run: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u32 / 100),
        },
        auth,
        acct: SocketAddr::new(auth.ip(), options.acct),
        coa_port: options.coa_port,
        methods: options.methods.clone(),
        pace: if options.storm { Pace::Storm } else { Pace::PerSecond(options.ramp) },
        interim_s: options.interim,
        duration: Duration::from_secs(options.duration),
    })
}

/// Where the routers' packets come from. Elsewhere than on loopback this machine has the addresses it has.
pub fn addresses(target: IpAddr, routers: u32) -> Vec<IpAddr> {
    match target {
        IpAddr::V4(target) if target.is_loopback() && routers > 1 => {
            let base = u32::from(Ipv4Addr::new(127, 0, 100, 0));
            (0..routers).map(|n| Ipv4Addr::from(base + n / 250 * 256 + n % 250 + 1).into()).collect()
        }
        IpAddr::V4(target) if target.is_loopback() => vec![Ipv4Addr::LOCALHOST.into()],
        IpAddr::V4(_) => vec![Ipv4Addr::UNSPECIFIED.into()],
        IpAddr::V6(_) => vec![std::net::Ipv6Addr::UNSPECIFIED.into()],
    }
}

fn told(summary: &Summary, users: u32) -> String {
    let Summary { counts, traffic, logins, reports, settled, everybody } = summary;
    let everybody = match everybody {
        Some(after) => format!("everybody online, Start answered, after {:.2} s", after.as_secs_f64()),
        None => format!("{settled} of {users} were online with an answered Start"),
    };
    format!(
        "\n{everybody}\n\
         logins     {} accepted, {} refused; p50 {:.1} ms, p99 {:.1} ms\n\
         reports    {} Start, {} Interim-Update, {} Stop answered; p50 {:.1} ms, p99 {:.1} ms\n\
         orders     {} disconnected, {} changed\n\
         unanswered {} after all tries; {} of {} requests were repeated; {} strange datagrams\n",
        counts.accepted,
        counts.refused,
        logins.ms(0.5),
        logins.ms(0.99),
        counts.starts,
        counts.interims,
        counts.stops,
        reports.ms(0.5),
        reports.ms(0.99),
        counts.disconnected,
        counts.changed,
        counts.unanswered,
        traffic.repeated,
        traffic.sent,
        traffic.strange,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routers_have_their_own_addresses_on_loopback_alone() {
        let texts = |target: [u8; 4], n| addresses(target.into(), n).iter().map(|a| a.to_string()).collect::<Vec<_>>();
        assert_eq!(texts([127, 0, 0, 1], 1), ["127.0.0.1"]);
        assert_eq!(texts([127, 0, 0, 1], 2), ["127.0.100.1", "127.0.100.2"]);
        assert_eq!(texts([127, 0, 0, 1], 251)[250], "127.0.101.1");
        assert_eq!(texts([192, 0, 2, 1], 9), ["0.0.0.0"]);
    }
}
