//! The program: settings, wiring, commands.
//!
//! | chapter                     | subject                                                                   |
//! |-----------------------------|---------------------------------------------------------------------------|
//! | [`cli`]                     | the commands and their options                                            |
//! | [`settings`]                | the TOML file, the environment, what is out of range                      |
//! | [`server`]                  | everything that runs together, and how it ends                            |
//! | [`web`], [`telemetry`]      | pages and APIs at one address; health, readiness, metrics, logs           |
//! | [`lock`]                    | one process to a data directory                                           |
//! | [`init`], [`router`]        | a first ISP, and its routers                                              |
//! | [`client`], [`staff`]       | a first API client, which makes the others; people who sign in            |
//! | [`local`]                   | the database of an ISP without its server, for these commands              |
//! | [`import`], [`control`]     | customers from a file; commands that reach the server of their directory   |
//! | [`backup`]                  | one file to keep elsewhere, and back                                      |
//! | [`demo`]                    | two ISPs with customers of all kinds, and what a program needs to try it  |
//! | [`bench`]                   | what a machine makes of it                                                |
//! | [`simulate`]                | routers that act as real ones, over real UDP                              |

mod backup;
mod bench;
mod cli;
mod client;
mod control;
mod demo;
mod descriptors;
mod import;
mod init;
mod key;
mod local;
mod lock;
mod private;
mod router;
mod serve;
mod server;
mod settings;
mod simulate;
mod staff;
mod telemetry;
mod web;

use std::process::ExitCode;

use clap::Parser;
use cli::{
    BenchCommand, Cli, ClientCommand, Command, ImportCommand, RadiusCommand, RouterCommand, SimulateCommand,
    StaffCommand,
};

fn main() -> ExitCode {
    // The one TLS provider of the process; there is none before, so that this cannot fail.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lastmile: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    private::by_default();
    match cli.command {
        Command::Serve(options) => serve::run(&options),
        Command::Init(options) => init::run(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Backup(options) => backup::run(&options),
        Command::Restore(options) => backup::restore(&options),
        Command::Router { command: RouterCommand::Add(options) } => router::add(&options),
        Command::Client { command: ClientCommand::Add(options) } => client::add(&options),
        Command::Staff { command: StaffCommand::Add(options) } => staff::add(&options),
        Command::Import { command: ImportCommand::Customers(options) } => import::run(&options),
        Command::Simulate { command: SimulateCommand::Routers(options) } => simulate::routers::run(&options),
        Command::Bench { command: BenchCommand::Radius(options) } => bench::radius::run(&options),
        Command::Bench { command: BenchCommand::Api(options) } => bench::api::run(&options),
        Command::Key { command } => key::run(&command),
        Command::Radius { command: RadiusCommand::Decode { hex, secret } } => {
            print!("{}", cli::decode(&hex, secret.as_deref())?);
            Ok(())
        }
    }
}

/// Runs a command that waits on databases and sockets. What it left running ends with it.
fn react(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let reactor = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = reactor.block_on(command);
    reactor.shutdown_background();
    done
}

/// Makes a directory that only its owner reads: it will hold keys and people's data. An existing one stays as it is.
fn make_private(directory: &std::path::Path) -> anyhow::Result<()> {
    use anyhow::Context;
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
    builder.create(directory).with_context(|| format!("cannot make {}", directory.display()))
}
