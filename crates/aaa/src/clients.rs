//! Which router a packet comes from: by source address, longest prefix first; several sites behind one network are told
//! apart by NAS-Identifier. NAS-IP-Address never selects the secret.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use domain::RouterId;
use parking_lot::Mutex;
use radius::{
    Code, Packet, attribute,
    policy::Policy,
    server::{Client, Clients, statistics},
};
use service::access::directory::RouterProfile;

use crate::{Directory, logins::Sender};

/// One for each thread; they share the rows.
#[derive(Clone)]
pub struct Table {
    directory: Arc<Directory>,
    logins: Sender,
    rows: Arc<Rows>,
    newest: Arc<Mutex<Arc<Rows>>>,
    /// This process itself, which asks for its own figures.
    own: Arc<Client>,
}

#[derive(Default)]
struct Rows {
    generation: u64,
    /// Single addresses.
    hosts: HashMap<IpAddr, Vec<Row>>,
    /// Networks, the longest prefix first.
    networks: Vec<(ipnet::IpNet, Row)>,
}

#[derive(Clone)]
struct Row {
    nas_identifier: Option<Box<[u8]>>,
    secret: Box<str>,
    client: Arc<Client>,
}

impl Table {
    pub fn new(directory: Arc<Directory>, logins: Sender, own: Arc<Client>) -> Table {
        Table { directory, logins, rows: Arc::default(), newest: Arc::default(), own }
    }
}

impl Rows {
    /// Clients that stay the same keep their state: what they learnt about Message-Authenticator, and duplicates.
    fn build(generation: u64, routers: &[RouterProfile], before: &Rows) -> Rows {
        let mut kept: HashMap<u64, Row> = HashMap::new();
        let known = before.hosts.values().flatten().chain(before.networks.iter().map(|(_, row)| row));
        known.for_each(|row| drop(kept.insert(row.client.id, row.clone())));
        let mut rows = Rows { generation, ..Rows::default() };
        for router in routers {
            let policy = match router.ma_policy.as_str() {
                "require" => Policy::Require,
                "legacy" => Policy::Legacy,
                _ => Policy::Learn { seen: router.ma_seen },
            };
            let id = router.id.0 as u64;
            let client = match kept.get(&id) {
                Some(row) if *row.secret == *router.secret => {
                    let learnt = row.client.policy.get() == Policy::Learn { seen: true };
                    if !(learnt && matches!(policy, Policy::Learn { .. })) {
                        row.client.policy.set(policy);
                    }
                    row.client.clone()
                }
                _ => Arc::new(Client::new(id, &router.secret, policy)),
            };
            let row = Row {
                nas_identifier: router.nas_identifier.as_deref().map(|text| text.as_bytes().into()),
                secret: router.secret.as_str().into(),
                client,
            };
            if router.network.prefix_len() == router.network.max_prefix_len() {
                rows.hosts.entry(router.network.addr()).or_default().push(row);
            } else {
                rows.networks.push((router.network, row));
            }
        }
        rows.networks.sort_by_key(|(network, _)| std::cmp::Reverse(network.prefix_len()));
        rows
    }

    fn find(&self, address: IpAddr, packet: &Packet<'_>) -> Option<&Row> {
        let sent = packet.find(attribute::NAS_IDENTIFIER);
        if let Some(rows) = self.hosts.get(&address)
            && let Some(row) = best(rows.iter(), sent)
        {
            return Some(row);
        }
        let mut rest = &self.networks[..];
        while let Some(at) = rest.iter().position(|(network, _)| network.contains(&address)) {
            let length = rest[at].0.prefix_len();
            let same = rest[at..].iter().take_while(|(network, _)| network.prefix_len() == length);
            if let Some(row) = best(same.filter(|(network, _)| network.contains(&address)).map(|(_, row)| row), sent) {
                return Some(row);
            }
            let next = rest[at..].iter().position(|(network, _)| network.prefix_len() < length)?;
            rest = &rest[at + next..];
        }
        None
    }
}

/// The row that names this NAS-Identifier, else the one that names none.
fn best<'a>(rows: impl Iterator<Item = &'a Row> + Clone, sent: Option<&[u8]>) -> Option<&'a Row> {
    let named = rows.clone().find(|row| row.nas_identifier.is_some() && row.nas_identifier.as_deref() == sent);
    named.or_else(|| rows.clone().find(|row| row.nas_identifier.is_none()))
}

impl Clients for Table {
    fn refresh(&mut self) {
        let generation = self.directory.generation();
        if self.rows.generation == generation {
            return;
        }
        // Under the lock, so that all threads have the same clients: they learn for each other.
        let mut newest = self.newest.lock();
        if newest.generation < generation {
            *newest = Arc::new(Rows::build(generation, &self.directory.network().world.routers, &newest));
        }
        self.rows = newest.clone();
    }

    fn find(&self, source: SocketAddr, packet: &Packet<'_>) -> Option<&Arc<Client>> {
        // Only who asks with our own secret for figures is us; nobody else gets any.
        if packet.code() == Code::StatusServer && statistics::asked(packet) {
            return Some(&self.own);
        }
        self.rows.find(source.ip(), packet).map(|row| &row.client)
    }

    fn learnt(&self, client: &Client) {
        if let Some(router) = self.directory.network().routers.get(&RouterId(client.id as i64)) {
            self.logins.learnt_ma(router.isp, router.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::IspId;
    use radius::client::Draft;

    use super::*;

    fn router(id: i64, network: &str, nas_identifier: Option<&str>) -> RouterProfile {
        RouterProfile {
            isp: IspId(1),
            id: RouterId(id),
            name: format!("r{id}"),
            vendor: "mikrotik".into(),
            network: service::access::routers::parse_network(network).unwrap(),
            nas_identifier: nas_identifier.map(Into::into),
            secret: "s".into(),
            coa_port: 3799,
            ma_policy: "learn".into(),
            ma_seen: false,
        }
    }

    #[test]
    fn the_longest_prefix_wins_and_identifiers_tell_sites_apart() {
        let routers = [
            router(1, "10.0.0.0/8", None),
            router(2, "10.1.0.0/16", None),
            router(3, "10.1.2.3", None),
            router(4, "10.1.2.4", Some("north")),
            router(5, "10.1.2.4", Some("south")),
            router(6, "192.168.0.0/24", Some("shop")),
            router(7, "2001:db8::/32", None),
        ];
        let rows = Rows::build(1, &routers, &Rows::default());
        let cases = [
            ("10.9.9.9", None, Some(1)),
            ("10.1.9.9", None, Some(2)),
            ("10.1.2.3", None, Some(3)),
            ("10.1.2.3", Some("anything"), Some(3)),
            ("10.1.2.4", Some("north"), Some(4)),
            ("10.1.2.4", Some("south"), Some(5)),
            ("10.1.2.4", Some("west"), Some(2)),
            ("192.168.0.7", Some("shop"), Some(6)),
            ("192.168.0.7", None, None),
            ("172.16.0.1", None, None),
            ("2001:db8::1", None, Some(7)),
        ];
        for (source, nas_identifier, expected) in cases {
            let mut draft = Draft::access(1);
            if let Some(name) = nas_identifier {
                draft.put_text(attribute::NAS_IDENTIFIER, name).unwrap();
            }
            let signed = draft.sign(&radius::Secret::new("s"));
            let found = rows.find(source.parse().unwrap(), &signed.packet());
            assert_eq!(found.map(|row| row.client.id), expected, "{source} {nas_identifier:?}");
        }
    }
}
