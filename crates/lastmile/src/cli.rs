//! The commands and their options.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use radius::{Packet, Secret, dictionary};

use crate::{settings::LogFormat, simulate::line::Method};

/// Back office and RADIUS for internet providers, in one program.
#[derive(Debug, Parser)]
#[command(name = "lastmile", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run with the settings of a file
    Serve(Serve),
    /// Prepare a directory to serve from: settings, key, database, a first ISP and its owner
    Init(Init),
    /// Run two made-up ISPs with customers, payments and simulated routers
    Demo(Demo),
    /// Save database and, if wanted, key in one file; the server may run meanwhile
    Backup(Backup),
    /// Bring a backup back into a directory without a database
    Restore(Restore),
    /// The routers that may ask RADIUS
    Router {
        #[command(subcommand)]
        command: RouterCommand,
    },
    /// Change the sealing key while servers run
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Programs that may use the API
    Client {
        #[command(subcommand)]
        command: ClientCommand,
    },
    /// People who log in
    Staff {
        #[command(subcommand)]
        command: StaffCommand,
    },
    /// Take over data from another system
    Import {
        #[command(subcommand)]
        command: ImportCommand,
    },
    /// Populations to try a server with
    Simulate {
        #[command(subcommand)]
        command: SimulateCommand,
    },
    /// What this machine makes of this program; each run has a data directory and a server of its own
    Bench {
        #[command(subcommand)]
        command: BenchCommand,
    },
    /// Tools for RADIUS
    Radius {
        #[command(subcommand)]
        command: RadiusCommand,
    },
}

#[derive(Debug, Args)]
pub struct Serve {
    /// The settings, as `lastmile init` writes them
    #[arg(long, value_name = "FILE", env = "LASTMILE_CONFIG", default_value = "lastmile.toml")]
    pub config: PathBuf,
}

#[derive(Debug, Args)]
pub struct Init {
    /// Where settings, key and database go
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// postgres://user@host/database instead of a SQLite file in DIR
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// The ISP's name; asked for when not given
    #[arg(long)]
    pub name: Option<String>,
    /// Its currency, ISO 4217 (KES, BDT, EUR …)
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
    /// Its time zone, IANA name (Africa/Nairobi, Asia/Dhaka …)
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// The owner's e-mail address, to log in with
    #[arg(long, value_name = "ADDRESS")]
    pub owner_email: Option<String>,
    /// Two letters before the phone number in usernames that are made here
    #[arg(long, value_name = "LETTERS", default_value = "LM")]
    pub username_prefix: String,
    /// Value added tax in percent, contained in prices
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    pub tax: f64,
    /// A first router, as NAME=ADDRESS or NAME=NETWORK; its RADIUS secret is made and printed
    #[arg(long, value_name = "NAME=NETWORK")]
    pub router: Vec<String>,
}

#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// Where the demo lives; an existing one is continued
    #[arg(long, value_name = "DIR", default_value = "demo-data")]
    pub data: PathBuf,
    /// postgres://user@host/database instead of a SQLite file in DIR
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub http: SocketAddr,
    /// Metrics, and readiness with its reasons [default: the loopback's port after that of --http, or any]
    #[arg(long, value_name = "ADDR")]
    pub operator: Option<SocketAddr>,
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1812")]
    pub radius_auth: SocketAddr,
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1813")]
    pub radius_acct: SocketAddr,
    /// UDP port to which CoA and Disconnect go, at the address a session came from
    #[arg(long, value_name = "N", default_value_t = 3799, value_parser = clap::value_parser!(u16).range(1..))]
    pub coa_port: u16,
    /// Threads that answer logins; 0: one per core, at most 8
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..=64))]
    pub radius_threads: i64,
    /// Without simulated routers
    #[arg(long)]
    pub no_traffic: bool,
    /// Have at least N customers more, user000000 with password pass000000 and on
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub customers: u32,
    /// Let the periods of N of them end now
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub due: u32,
    /// error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    pub log: String,
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

#[derive(Debug, Args)]
pub struct Backup {
    /// The directory of `lastmile init` or `lastmile demo`
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    pub data: Option<PathBuf>,
    /// The settings, where the database is elsewhere
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub config: Option<PathBuf>,
    /// The file to make; an existing one is not replaced
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// With the key: whoever has the file then reads every network password
    #[arg(long)]
    pub with_key: bool,
}

#[derive(Debug, Args)]
pub struct Restore {
    /// What `lastmile backup` made
    pub file: PathBuf,
    /// Where database and key go; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum RouterCommand {
    /// Let a router in; on SQLite while the server is stopped
    Add(RouterAdd),
}

#[derive(Debug, Args)]
pub struct RouterAdd {
    #[command(flatten)]
    pub serve: Serve,
    #[arg(long)]
    pub name: String,
    /// The address or network its packets come from
    #[arg(long, value_name = "ADDRESS")]
    pub network: String,
    /// mikrotik, cisco, chillispot, wispr, huawei, juniper, nokia, hostapd or other
    #[arg(long, default_value = "mikrotik")]
    pub vendor: String,
    /// Its RADIUS secret; made and printed when not given
    #[arg(long)]
    pub secret: Option<String>,
    /// Tells routers behind one address apart
    #[arg(long, value_name = "TEXT")]
    pub nas_identifier: Option<String>,
    /// Where CoA and Disconnect go; radius.coa_port of the settings when not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub coa_port: Option<u16>,
    /// Whose router it is, where there are several ISPs
    #[arg(long, value_name = "NAME")]
    pub isp: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Make an API client and show its credentials once; on SQLite while the server is stopped
    Add(ClientAdd),
}

#[derive(Debug, Args)]
pub struct ClientAdd {
    #[command(flatten)]
    pub serve: Serve,
    /// What it is for
    #[arg(long)]
    pub name: String,
    /// oauth (ISPBills version 2, and home), token (version 1), key (Alternet) or pair (Jaze)
    #[arg(long = "type", value_name = "TYPE", default_value = "oauth")]
    pub form: String,
    /// v2_standard, v2_high_volume; v1_standard, v1_high_volume; professional, free, enterprise; jaze
    #[arg(long)]
    pub tier: Option<String>,
    /// What it may do, such as `customers:read billing:read`; everything when not given
    #[arg(long, value_name = "SCOPES")]
    pub scopes: Option<String>,
    /// Of a pair: the account it is for; the ISP's own where not given, which gets a name if it has none
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Whose client it is, where there are several ISPs
    #[arg(long, value_name = "NAME")]
    pub isp: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum StaffCommand {
    /// Make a person who signs in to ISPBills version 1 and to Zal; on SQLite while the server is stopped
    Add(StaffAdd),
}

#[derive(Debug, Args)]
pub struct StaffAdd {
    #[command(flatten)]
    pub serve: Serve,
    #[arg(long)]
    pub name: String,
    /// To sign in with
    #[arg(long, value_name = "ADDRESS")]
    pub email: String,
    /// owner, manager, noc, salesperson, collector or card_distributor
    #[arg(long, default_value = "owner")]
    pub role: String,
    /// Whose person it is, where there are several ISPs
    #[arg(long, value_name = "NAME")]
    pub isp: Option<String>,
}

/// The settings whose key file it is.
#[derive(Debug, Args)]
pub struct KeyOptions {
    /// The settings, as `lastmile init` writes them
    #[arg(long, value_name = "FILE", env = "LASTMILE_CONFIG", default_value = "lastmile.toml")]
    pub config: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Change the key, where one server runs or none: add, use and drop in one
    Change(KeyOptions),
    /// Add a new key, which opens and does not seal yet; then give the file to every server
    Add(KeyOptions),
    /// Seal with the new key, and everything anew with it
    Use(KeyOptions),
    /// Forget the old keys, once nothing is sealed with them
    Drop(KeyOptions),
}

#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Customers from a CSV file; rows that are refused are told and do not stop the others
    ///
    /// The first line names the columns, in any order: fullname, phonenumber, email, address, service_type, username,
    /// password, plan, router, ip, mac, expires_at. Required are fullname, phonenumber, service_type (Hotspot, PPPoE,
    /// Static), password, plan and router (by name or id). Without a username one is made of the ISP's prefix and the
    /// phone number. expires_at is YYYY-MM-DD (the end of that day) or YYYY-MM-DD HH:MM:SS in the ISP's time, or
    /// RFC 3339; a customer without one gets one period of its plan from now. Imported periods cost nothing.
    Customers(ImportCustomers),
}

#[derive(Debug, Args)]
pub struct ImportCustomers {
    /// The CSV file, UTF-8
    pub file: PathBuf,
    /// The directory of an installation or a demo, instead of its settings
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The settings, as `lastmile init` writes them
    #[arg(long, value_name = "FILE", env = "LASTMILE_CONFIG", default_value = "lastmile.toml")]
    pub config: PathBuf,
    /// Name or id of the ISP, where there are several
    #[arg(long, value_name = "NAME_OR_ID")]
    pub isp: Option<String>,
    /// Only say what would be imported and what refused
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub enum SimulateCommand {
    /// Subscribers behind routers that log in, report and obey orders, against any RADIUS server
    Routers(SimulateRouters),
}

#[derive(Debug, Args)]
pub struct SimulateRouters {
    /// The server
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    pub target: String,
    #[arg(long, value_name = "PORT", default_value_t = 1812)]
    pub auth: u16,
    #[arg(long, value_name = "PORT", default_value_t = 1813)]
    pub acct: u16,
    #[arg(long)]
    pub secret: String,
    /// Subscribers, PREFIX000000 and on
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub users: u32,
    #[arg(long, value_name = "PREFIX", default_value = "user")]
    pub user_prefix: String,
    #[arg(long, value_name = "PREFIX", default_value = "pass")]
    pub pass_prefix: String,
    /// How they prove their passwords, in turn
    #[arg(long, value_delimiter = ',', default_value = "pap,chap,mschapv2")]
    pub methods: Vec<Method>,
    /// On loopback each router has its own address: 127.0.0.1 alone, else 127.0.100.1 and on
    #[arg(long, value_name = "M", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub routers: u32,
    /// New logins a second
    #[arg(long, value_name = "N/s", default_value = "500", value_parser = positive)]
    pub ramp: f64,
    /// Everybody at once, as after a power cut
    #[arg(long, conflicts_with = "ramp")]
    pub storm: bool,
    /// Interim-Updates this often, instead of what the server says
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub interim: Option<u32>,
    /// Then everybody leaves properly
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub duration: u64,
    /// Obey CoA and Disconnect at this port of each router's address
    #[arg(long, value_name = "N")]
    pub coa_port: Option<u16>,
    /// Against another machine than this one: only with its owner's consent
    #[arg(long)]
    pub allow_remote: bool,
}

/// Also with `/s` behind it, as in `--ramp 500/s`.
fn positive(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text).parse::<f64>();
    number.ok().filter(|number| *number > 0.0 && *number <= 1e6).ok_or("a number above 0 is expected".into())
}

#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Logins and durable reports: requests a second, the server's CPU time for each, memory, start-up
    Radius(BenchRadius),
    /// Lists, searches and recharges through Alternet's API at a fixed rate
    Api(BenchApi),
}

#[derive(Debug, Args)]
pub struct BenchRadius {
    /// Subscribers
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub users: u32,
    /// For each kind of work
    #[arg(long, value_name = "S", default_value = "10", value_parser = positive)]
    pub seconds: f64,
    /// On whose disk the data is, for the time of the run
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    #[arg(long, value_delimiter = ',', default_value = "pap,chap,mschapv2,accounting")]
    pub work: Vec<BenchWork>,
    /// Requests under way at any time
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..=8192))]
    pub window: u16,
    /// Somebody else's server, instead of one made for the run: it knows user000000 with pass000000 and on, and this
    /// machine's address as a client
    #[arg(long, value_name = "HOST", requires = "secret", conflicts_with = "dir")]
    pub target: Option<String>,
    /// Its port for logins
    #[arg(long, value_name = "PORT", default_value_t = 1812, requires = "target")]
    pub auth: u16,
    /// Its port for reports
    #[arg(long, value_name = "PORT", default_value_t = 1813, requires = "target")]
    pub acct: u16,
    #[arg(long, requires = "target")]
    pub secret: Option<String>,
    /// The processes whose CPU time is its, each with its children: the RADIUS server, the database's first process
    #[arg(long, value_name = "PID", value_delimiter = ',', requires = "target")]
    pub pid: Vec<u32>,
    /// Against another machine than this one: only with its owner's consent
    #[arg(long)]
    pub allow_remote: bool,
    /// Figures only, a work a line, with tabs between them
    #[arg(long)]
    pub plain: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum BenchWork {
    Pap,
    Chap,
    #[value(name = "mschapv2")]
    MsChapV2,
    /// Start, Interim-Update and Stop of one session after another
    Accounting,
}

#[derive(Debug, Args)]
pub struct BenchApi {
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub customers: u32,
    /// Calls a second of each list
    #[arg(long, value_name = "R", default_value = "50", value_parser = positive)]
    pub rate: f64,
    /// For each kind of call
    #[arg(long, value_name = "S", default_value = "5", value_parser = positive)]
    pub seconds: f64,
    /// On whose disk the data is, for the time of the run
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum RadiusCommand {
    /// Say in words what a packet holds
    Decode {
        /// The UDP payload in hexadecimal; blanks and colons do not count
        hex: String,
        /// The shared secret, to show what it hides
        #[arg(long)]
        secret: Option<String>,
    },
}

/// A packet in words.
pub fn decode(hex: &str, secret: Option<&str>) -> anyhow::Result<String> {
    let digits: String = hex.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits);
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        bail!("an even number of hexadecimal digits is expected");
    }
    let bytes: Result<Vec<u8>, _> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16)).collect();
    let bytes = bytes.context("hexadecimal digits are expected")?;
    let packet = Packet::parse(&bytes).context("this is no RADIUS packet")?;
    Ok(dictionary::format_packet(&packet, secret.map(Secret::new).as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn packets_are_decoded_from_hex_as_tools_print_it() {
        // RFC 2865 §7.1, the Access-Request of user nemo.
        let request = "01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a 01 06 6e 65 6d 6f 02 12 0d be 70 8d \
                       93 d4 13 ce 31 96 e4 3f 78 2a 0a ee 04 06 c0 a8 01 10 05 06 00 00 00 03";
        let hidden = decode(request, None).unwrap();
        assert!(hidden.contains("User-Name = \"nemo\"") && !hidden.contains("arctangent"), "{hidden}");
        assert!(decode(request, Some("xyzzy5461")).unwrap().contains("arctangent"));
        for (wrong, why) in [("01", "no RADIUS packet"), ("0", "an even number"), ("zz", "hexadecimal digits")] {
            assert!(decode(wrong, None).unwrap_err().to_string().contains(why), "{wrong}");
        }
    }
}
