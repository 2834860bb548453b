//! What opens the demo: made once, kept in `demo-credentials.json` (mode 0600), told to programs in `demo.json`.

use std::{
    io::Write,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use service::kernel::vault::{hex, random_bytes, random_text, random_uuid};

use crate::server::Addresses;

const KEPT: &str = "demo-credentials.json";
const TOLD: &str = "demo.json";

/// The RADIUS secret of every demo router: well known, as in every example.
pub const RADIUS_SECRET: &str = "testing123";
pub const OWNER: &str = "admin@demo.example";
pub const OTHER_OWNER: &str = "admin@other.example";
/// Who signs in to ISPBills v1.
pub const API_LOGIN: &str = "api@demo.example";
pub const OTHER_API_LOGIN: &str = "api@other.example";
/// Who holds the token of Zal's calls.
pub const ZAL_LOGIN: &str = "zal@demo.example";
pub const OTHER_ZAL_LOGIN: &str = "zal@other.example";

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// The first start went through to its end.
    pub complete: bool,
    pub password: String,
    pub alternet_key: String,
    pub other_password: String,
    pub other_alternet_key: String,
    /// Directories made before there was such a client get one now.
    #[serde(default = "OauthClient::new")]
    pub ispbills: OauthClient,
    #[serde(default = "OauthClient::new")]
    pub other_ispbills: OauthClient,
    #[serde(default = "ZalUser::new")]
    pub zal: ZalUser,
    #[serde(default = "ZalUser::new")]
    pub other_zal: ZalUser,
    #[serde(default = "Pair::demo")]
    pub jaze: Pair,
    #[serde(default = "Pair::other")]
    pub other_jaze: Pair,
}

/// A person with a token of Zal's calls.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZalUser {
    pub password: String,
    /// Given once the person is there.
    pub token: Option<String>,
}

impl ZalUser {
    fn new() -> ZalUser {
        ZalUser { password: random_text(16), token: None }
    }
}

/// Whom and what a Zal token is of.
#[derive(Clone, Copy, Debug)]
pub struct ZalIds {
    pub isp_id: i64,
    pub branch_id: i64,
    pub user_id: i64,
}

/// A token and a key that go with every call (Jaze); the token is also the account's name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    pub api_token: String,
    pub api_key: String,
}

impl Pair {
    fn new(account: &str) -> Pair {
        Pair { api_token: account.into(), api_key: hex(&random_bytes::<20>()) }
    }

    fn demo() -> Pair {
        Pair::new("demo")
    }

    fn other() -> Pair {
        Pair::new("other")
    }
}

/// A client of ISPBills v2.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OauthClient {
    pub client_id: String,
    pub client_secret: String,
    /// Of the person who signs in to v1.
    pub password: String,
}

impl OauthClient {
    fn new() -> OauthClient {
        OauthClient { client_id: random_uuid(), client_secret: random_text(48), password: random_text(16) }
    }
}

impl Credentials {
    pub fn new() -> Credentials {
        Credentials {
            complete: false,
            password: random_text(16),
            alternet_key: format!("live_{}", random_text(40)),
            other_password: random_text(16),
            other_alternet_key: format!("live_{}", random_text(40)),
            ispbills: OauthClient::new(),
            other_ispbills: OauthClient::new(),
            zal: ZalUser::new(),
            other_zal: ZalUser::new(),
            jaze: Pair::demo(),
            other_jaze: Pair::other(),
        }
    }

    /// Those of an earlier start, if there was one.
    pub fn read(directory: &Path) -> anyhow::Result<Option<Credentials>> {
        let path = directory.join(KEPT);
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                Ok(Some(serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    pub fn write(&self, directory: &Path) -> anyhow::Result<()> {
        replace(&directory.join(KEPT), &serde_json::to_string_pretty(self)?)
    }
}

#[derive(Serialize)]
struct Told<'a> {
    base_url: String,
    /// Metrics, and readiness with its reasons.
    operator_url: String,
    admin: Login<'a>,
    alternet: Alternet<'a>,
    ispbills: IspBills<'a>,
    zal: Zal<'a>,
    jaze: Jaze<'a>,
    radius: Radius,
    other_tenant: Other<'a>,
}

#[derive(Serialize)]
struct Login<'a> {
    email: &'a str,
    password: &'a str,
}

#[derive(Serialize)]
struct Alternet<'a> {
    api_key: &'a str,
}

#[derive(Serialize)]
struct IspBills<'a> {
    email: &'a str,
    password: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
}

impl IspBills<'_> {
    fn of<'a>(email: &'a str, client: &'a OauthClient) -> IspBills<'a> {
        let OauthClient { client_id, client_secret, password } = client;
        IspBills { email, password, client_id, client_secret }
    }
}

#[derive(Serialize)]
struct Zal<'a> {
    email: &'a str,
    password: &'a str,
    token: &'a str,
    isp_id: i64,
    branch_id: i64,
    user_id: i64,
}

impl Zal<'_> {
    fn of<'a>(email: &'a str, user: &'a ZalUser, ids: ZalIds) -> Zal<'a> {
        let ZalIds { isp_id, branch_id, user_id } = ids;
        let token = user.token.as_deref().unwrap_or_default();
        Zal { email, password: &user.password, token, isp_id, branch_id, user_id }
    }
}

#[derive(Serialize)]
struct Radius {
    host: IpAddr,
    auth_port: u16,
    acct_port: u16,
    coa_port: u16,
    secret: &'static str,
}

#[derive(Serialize)]
struct Other<'a> {
    admin: Login<'a>,
    alternet: Alternet<'a>,
    ispbills: IspBills<'a>,
    zal: Zal<'a>,
    jaze: Jaze<'a>,
}

#[derive(Serialize)]
struct Jaze<'a> {
    api_token: &'a str,
    api_key: &'a str,
    account_id: &'a str,
}

impl Jaze<'_> {
    fn of(pair: &Pair) -> Jaze<'_> {
        Jaze { api_token: &pair.api_token, api_key: &pair.api_key, account_id: &pair.api_token }
    }
}

/// An address one can connect to: a wildcard is reached through the loopback.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        ip if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), address.port()),
        _ => address,
    }
}

/// Writes `demo.json`, whole or not at all: programs wait for it.
pub fn tell(
    directory: &Path,
    known: &Credentials,
    (zal, other_zal): (ZalIds, ZalIds),
    at: Addresses,
    coa_port: u16,
) -> anyhow::Result<()> {
    let told = Told {
        base_url: format!("http://{}", reachable(at.http)),
        operator_url: format!("http://{}", at.operator),
        admin: Login { email: OWNER, password: &known.password },
        alternet: Alternet { api_key: &known.alternet_key },
        ispbills: IspBills::of(API_LOGIN, &known.ispbills),
        zal: Zal::of(ZAL_LOGIN, &known.zal, zal),
        jaze: Jaze::of(&known.jaze),
        radius: Radius {
            host: reachable(at.auth).ip(),
            auth_port: at.auth.port(),
            acct_port: at.acct.port(),
            coa_port,
            secret: RADIUS_SECRET,
        },
        other_tenant: Other {
            admin: Login { email: OTHER_OWNER, password: &known.other_password },
            alternet: Alternet { api_key: &known.other_alternet_key },
            ispbills: IspBills::of(OTHER_API_LOGIN, &known.other_ispbills),
            zal: Zal::of(OTHER_ZAL_LOGIN, &known.other_zal, other_zal),
            jaze: Jaze::of(&known.other_jaze),
        },
    };
    replace(&directory.join(TOLD), &serde_json::to_string_pretty(&told)?)
}

/// That of an earlier start names ports nobody listens on.
pub fn untell(directory: &Path) {
    // Not there is as good as removed.
    let _ = std::fs::remove_file(directory.join(TOLD));
}

fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let beside = path.with_extension("new");
    let _ = std::fs::remove_file(&beside);
    let written = (|| {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    })();
    written.with_context(|| format!("cannot write {}", path.display()))
}
