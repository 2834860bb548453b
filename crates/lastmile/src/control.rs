//! The control socket: commands that write reach the server of their directory through `DIR/control.sock`, so that
//! never two processes write one SQLite file.
//!
//! A frame is its length (four bytes, big-endian) and JSON. The client says hello with the protocol's version and what
//! it wants; every frame is answered by one. Only the directory's owner may connect: the socket is of mode 0600, and
//! the caller's user is asked of the system.

use std::{
    io::ErrorKind,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use service::{
    Actor, App,
    customers::import::{Import, Row},
    kernel::reseal::Resealed,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};

use crate::{
    import::{self, tenant},
    key,
};

const NAME: &str = "control.sock";
const VERSION: u32 = 1;
/// A thousand rows are a quarter of this at most.
const LONGEST_FRAME: u32 = 8 << 20;
/// A client that says nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// Millions of rows are sealed anew in less.
const RESEALING: Duration = Duration::from_secs(3600);

#[derive(Serialize, Deserialize, Debug)]
struct Hello {
    version: u32,
    #[serde(flatten)]
    wish: Wish,
}

/// What a command asks the server for.
#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
enum Wish {
    ImportCustomers(Ask),
    /// Read the key file anew, and seal everything with the key that seals.
    Reseal {},
}

/// An import's options.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub struct Ask {
    /// Name or id; `None` where there is only one.
    pub isp: Option<String>,
    pub dry_run: bool,
}

/// What the client says after the hello.
#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
enum Say {
    Rows(Vec<Row>),
    End,
}

#[derive(Serialize, Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Ready,
    Done(import::Report),
    Resealed { values: u64, closed: u64 },
    Error(String),
}

// ---- the server ----

/// The socket, served until stopped.
pub struct Listening {
    path: PathBuf,
    task: JoinHandle<()>,
}

/// Serves the directory's socket. The caller holds the directory's lock, so a socket that lies there is nobody's.
pub fn listen(app: App, directory: &Path, key_file: Option<PathBuf>) -> anyhow::Result<Listening> {
    let path = directory.join(NAME);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove the old {}", path.display()));
        }
        _ => {}
    }
    let listener = UnixListener::bind(&path).with_context(|| format!("cannot listen on {}", path.display()))?;
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600))?;
    let owner = std::fs::metadata(directory)?.uid();
    let us = std::fs::metadata("/proc/self").map_or(owner, |us| us.uid());
    let task = tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of descriptors, most likely: it passes.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            match stream.peer_cred() {
                Ok(peer) if [0, owner, us].contains(&peer.uid()) => {
                    tokio::spawn(serve(app.clone(), stream, key_file.clone()));
                }
                Ok(peer) => tracing::warn!(uid = peer.uid(), "a stranger at the control socket"),
                Err(error) => tracing::warn!(%error, "who is at the control socket?"),
            }
        }
    });
    Ok(Listening { path, task })
}

impl Listening {
    /// Nobody new is let in; an import under way ends with its present batch.
    pub fn stop(self) {
        self.task.abort();
        // It may have been removed by hand.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn serve(app: App, mut stream: UnixStream, key_file: Option<PathBuf>) {
    if let Err(error) = converse(&app, &mut stream, key_file.as_deref()).await {
        tracing::info!("control: {error:#}");
        // The client may be the one that went.
        let _ = send(&mut stream, &Answer::Error(format!("{error:#}"))).await;
    }
}

async fn converse(app: &App, stream: &mut UnixStream, key_file: Option<&Path>) -> anyhow::Result<()> {
    let hello: serde_json::Value = receive(stream).await?;
    if hello["version"] != VERSION {
        bail!("the server speaks version {VERSION} of the control protocol, the command {}", hello["version"]);
    }
    let Hello { wish, .. } = serde_json::from_value(hello)?;
    let Ask { isp, dry_run } = match wish {
        Wish::ImportCustomers(ask) => ask,
        Wish::Reseal {} => {
            let path = key_file.context("this server's key stands in its settings")?;
            let Resealed { values, closed } = key::reseal_here(app, path).await?;
            return send(stream, &Answer::Resealed { values, closed }).await;
        }
    };
    let isp = tenant(app, isp.as_deref()).await?;
    let mut import = Import::begin(app, &Actor::system(isp), dry_run).await?;
    send(stream, &Answer::Ready).await?;
    loop {
        match receive(stream).await? {
            Say::Rows(rows) => send(stream, &Answer::Done(import::Report::from(import.take(rows).await?))).await?,
            Say::End => return send(stream, &Answer::Ready).await,
        }
    }
}

// ---- the client ----

pub struct Client(UnixStream);

impl Client {
    /// # Errors
    /// What the server says against it, or that it has no socket.
    pub async fn connect(directory: &Path, ask: Ask) -> anyhow::Result<Client> {
        let path = directory.join(NAME);
        let stream = UnixStream::connect(&path).await.with_context(|| {
            format!("another lastmile uses this directory and cannot be reached through {}", path.display())
        })?;
        let mut client = Client(stream);
        send(&mut client.0, &Hello { version: VERSION, wish: Wish::ImportCustomers(ask) }).await?;
        client.ready().await?;
        Ok(client)
    }

    pub async fn take(&mut self, rows: Vec<Row>) -> anyhow::Result<import::Report> {
        send(&mut self.0, &Say::Rows(rows)).await?;
        match receive(&mut self.0).await? {
            Answer::Done(report) => Ok(report),
            Answer::Error(why) => bail!("the server: {why}"),
            Answer::Ready | Answer::Resealed { .. } => bail!("the server answered out of turn"),
        }
    }

    pub async fn end(mut self) -> anyhow::Result<()> {
        send(&mut self.0, &Say::End).await?;
        self.ready().await
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        match receive(&mut self.0).await? {
            Answer::Ready => Ok(()),
            Answer::Error(why) => bail!("the server: {why}"),
            Answer::Done(_) | Answer::Resealed { .. } => bail!("the server answered out of turn"),
        }
    }
}

/// Has the server of this directory seal everything anew. It may take minutes: nothing is said meanwhile.
pub async fn reseal(directory: &Path) -> anyhow::Result<Resealed> {
    let path = directory.join(NAME);
    let mut stream = UnixStream::connect(&path).await.with_context(|| {
        format!("another lastmile uses this directory and cannot be reached through {}", path.display())
    })?;
    send(&mut stream, &Hello { version: VERSION, wish: Wish::Reseal {} }).await?;
    match received(&mut stream, RESEALING).await? {
        Answer::Resealed { values, closed } => Ok(Resealed { values, closed }),
        Answer::Error(why) => bail!("the server: {why}"),
        Answer::Ready | Answer::Done(_) => bail!("the server answered out of turn"),
    }
}

// ---- frames ----

async fn send(stream: &mut UnixStream, what: &impl Serialize) -> anyhow::Result<()> {
    let body = serde_json::to_vec(what)?;
    let length =
        u32::try_from(body.len()).ok().filter(|length| *length <= LONGEST_FRAME).context("too long a frame")?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&body).await?;
    Ok(())
}

async fn receive<T: DeserializeOwned>(stream: &mut UnixStream) -> anyhow::Result<T> {
    received(stream, SILENCE).await
}

async fn received<T: DeserializeOwned>(stream: &mut UnixStream, patience: Duration) -> anyhow::Result<T> {
    let frame = tokio::time::timeout(patience, async {
        let length = stream.read_u32().await?;
        if length > LONGEST_FRAME {
            bail!("a frame of {length} bytes: this is not the control protocol");
        }
        let mut body = vec![0; length as usize];
        stream.read_exact(&mut body).await?;
        Ok(body)
    });
    let body = frame.await.context("nothing was said for too long")?.context("the connection ended")?;
    Ok(serde_json::from_slice(&body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_arrive_whole_and_giants_are_refused() {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        send(&mut one, &Say::End).await.unwrap();
        assert!(matches!(receive(&mut other).await.unwrap(), Say::End));
        one.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let error = format!("{:#}", receive::<Say>(&mut other).await.unwrap_err());
        assert!(error.contains("not the control protocol"), "{error}");
        drop(one);
        assert!(receive::<Say>(&mut other).await.is_err());
    }
}
