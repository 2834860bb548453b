//! The measured server: this program again, as `demo` in a directory of its own.

use std::{
    net::{SocketAddr, TcpListener, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use radius::{Code, Secret, client::Signed};

use super::process::Processes;
use crate::{demo::credentials::RADIUS_SECRET, simulate::people::People};

const START_WITHIN: Duration = Duration::from_secs(120);
const STOP_WITHIN: Duration = Duration::from_secs(20);

pub struct Server {
    process: Child,
    pub http: SocketAddr,
    pub auth: SocketAddr,
    pub acct: SocketAddr,
    /// From exec to the first Access-Accept.
    pub start_up: Duration,
}

pub fn people(count: u32, run: u32) -> People {
    People {
        count,
        user_prefix: "user".into(),
        pass_prefix: "pass".into(),
        // In the demo every 127 address belongs to the first ISP; one router sends all.
        routers: vec![[127, 0, 0, 1].into()],
        secret: Secret::new(RADIUS_SECRET),
        run,
    }
}

impl Server {
    pub fn start(directory: &Path) -> anyhow::Result<Server> {
        let (http, udp) = (TcpListener::bind("127.0.0.1:0")?, [(); 3].map(|()| UdpSocket::bind("127.0.0.1:0")));
        let [auth, acct, coa] = udp;
        let (auth, acct, coa) = (auth?, acct?, coa?);
        let (http_at, auth_at, acct_at) = (http.local_addr()?, auth.local_addr()?, acct.local_addr()?);
        let coa_at = coa.local_addr()?;
        drop((http, auth, acct, coa));
        let began = Instant::now();
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["demo", "--no-traffic", "--data"]).arg(directory);
        command.args(["--http", &http_at.to_string(), "--radius-auth", &auth_at.to_string()]);
        command.args(["--radius-acct", &acct_at.to_string(), "--coa-port", &coa_at.port().to_string()]);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("the server")?;
        let mut server = Server { process, http: http_at, auth: auth_at, acct: acct_at, start_up: Duration::ZERO };
        server.first_accept(began)?;
        server.start_up = began.elapsed();
        Ok(server)
    }

    fn first_accept(&mut self, began: Instant) -> anyhow::Result<()> {
        let people = people(1, 0);
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(self.auth)?;
        socket.set_read_timeout(Some(Duration::from_millis(5)))?;
        let (mut room, mut id) = ([0; 4096], 0u8);
        while began.elapsed() < START_WITHIN {
            if let Some(status) = self.process.try_wait()? {
                bail!("the server ended: {status}");
            }
            id = id.wrapping_add(1);
            let login = people.login(id, 0, 0, crate::simulate::line::Method::Pap);
            let request: Signed = login.map_err(|_| anyhow::anyhow!("a login too long"))?.0.sign(&people.secret);
            // Refused ports and silence: not there yet.
            let _ = socket.send(request.bytes());
            match socket.recv(&mut room) {
                Ok(length) => match request.verify(&room[..length], &people.secret) {
                    Ok(packet) if packet.code() == Code::AccessAccept => return Ok(()),
                    Ok(packet) => bail!("the first login was answered with {:?}", packet.code()),
                    Err(_) => {}
                },
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        bail!("the server does not answer within {} s", START_WITHIN.as_secs())
    }

    pub fn process(&self) -> Processes {
        Processes(vec![self.process.id()])
    }

    /// Ends as by Ctrl-C.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let id = libc::pid_t::try_from(self.process.id())?;
        // SAFETY: a signal to a child that has not been waited for, so the number is its own.
        unsafe { libc::kill(id, libc::SIGTERM) };
        let began = Instant::now();
        while began.elapsed() < STOP_WITHIN {
            if self.process.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("the server does not end within {} s", STOP_WITHIN.as_secs())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
