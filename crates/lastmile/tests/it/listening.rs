//! The one listener, over real connections: who says nothing goes, who has something to ask gets in, whose word is taken.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::ConnectInfo, routing::get};
use domain::IspId;
use doors::listen::{Limits, Listener, Proxies, PublicUrl, Settings};
use service::kernel::origin;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::{Semaphore, oneshot},
    task::JoinHandle,
};

use crate::tidy::{code, root, sources};

/// Long enough for a busy machine; nobody waits so long but a failing test.
const PATIENCE: Duration = Duration::from_secs(60);

static LET_GO: Semaphore = Semaphore::const_new(0);

struct Served {
    at: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

async fn served(limits: Limits, proxies: &[&str]) -> Served {
    let listener = Listener::bind(([127, 0, 0, 1], 0).into()).await.expect("a port");
    let at = listener.address().expect("an address");
    let who = async |peer: ConnectInfo<SocketAddr>, url: axum::Extension<PublicUrl>| {
        let origin = origin::current().expect("an origin");
        assert_eq!(peer.0.ip(), origin, "whoever asks is told the same");
        match origin::isp() {
            Some(isp) => format!("{origin} {} of {isp}", url.0.0),
            None => format!("{origin} {}", url.0.0),
        }
    };
    let held = async || {
        LET_GO.acquire().await.expect("open").forget();
        "at last"
    };
    let router = Router::new()
        .route("/who", get(who))
        .route("/held", get(held))
        .route("/body", get(async || "").post(async |body: Bytes| body.len().to_string()));
    let proxies = Proxies::new(proxies.iter().copied()).expect("proxies");
    let hosts = [("own.example".to_string(), IspId(7))].into_iter().collect();
    let settings = Settings { limits, proxies, hosts, ..Settings::named("test") };
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(listener.serve(router, settings, async move { drop(stopped.await) }));
    Served { at, stop, task }
}

/// What the server says until it ends the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let read = async {
        let mut room = [0; 4096];
        loop {
            match stream.read(&mut room).await {
                Ok(0) | Err(_) => break,
                Ok(length) => said.extend(&room[..length]),
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("the connection ends");
    String::from_utf8_lossy(&said).into_owned()
}

/// The first answer's head and body, as far as one packet has them.
async fn answer(stream: &mut TcpStream) -> String {
    let mut room = [0; 4096];
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut room)).await.expect("an answer in time");
    String::from_utf8_lossy(&room[..read.expect("an answer")]).into_owned()
}

async fn connect(at: SocketAddr, first: &str) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.expect("a connection");
    stream.write_all(first.as_bytes()).await.expect("room");
    stream
}

async fn ask(at: SocketAddr, from: [u8; 4], headers: &str) -> String {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("an address of ours");
    let mut stream = socket.connect(at).await.expect("a connection");
    let request = format!("GET /who HTTP/1.1\r\nHost: evil.example\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("room");
    rest(&mut stream).await.lines().last().unwrap_or_default().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_knows_whose_host_it_is_for() {
    let server = served(Limits::default(), &[]).await;
    for (host, end) in [("own.example", " of 7"), ("OWN.example:8080", " of 7"), ("evil.example", "")] {
        let request = format!("GET /who HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let mut stream = connect(server.at, &request).await;
        let told = rest(&mut stream).await.lines().last().unwrap_or_default().to_string();
        assert_eq!(told, format!("127.0.0.1 http://{}{end}", server.at), "{host}");
    }
}

const KEPT: &str = "GET /body HTTP/1.1\r\nHost: x\r\n\r\n";
const NO_BODY: &str = "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_holds_a_connection_for_nothing_is_let_go() {
    let short = Duration::from_millis(150);
    let limits = Limits { head: short, body: short, idle: 2 * short, stalled: PATIENCE, ..Limits::default() };
    let server = served(limits, &[]).await;
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0";
    for (what, first, least, answered) in [
        ("nothing", "", short, ""),
        ("half a line", "GET /bo", short, ""),
        ("a head without end", "GET /body HTTP/1.1\r\nHost: x\r\nX-A: b\r\n", short, ""),
        ("a body without end", NO_BODY, short, ""),
        ("an answered request", KEPT, 2 * short, "HTTP/1.1 200 OK"),
        ("HTTP/2 without a stream", preface, short, "\0\0"),
    ] {
        let began = Instant::now();
        let mut stream = connect(server.at, first).await;
        let said = rest(&mut stream).await;
        assert!(said.starts_with(answered) && (!answered.is_empty() || said.is_empty()), "{what}: {said}");
        assert!(began.elapsed() >= least, "{what}: ended after {:?}", began.elapsed());
    }
    // A head that comes byte by byte does not live longer than one that does not come.
    let mut slow = connect(server.at, "").await;
    let mut dribble = async || loop {
        if slow.write_all(b"G").await.is_err() || slow.read(&mut [0]).await.is_ok_and(|read| read == 0) {
            return;
        }
    };
    tokio::time::timeout(PATIENCE, dribble()).await.expect("an end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_house_has_room_for_who_asks() {
    let limits = Limits { connections: 32, head: PATIENCE, body: PATIENCE, idle: PATIENCE, ..Limits::default() };
    for (what, first) in [("silent", "GET /"), ("without their bodies", NO_BODY), ("answered", KEPT)] {
        let server = served(limits, &["127.0.0.0/8"]).await;
        let mut busy = connect(server.at, "GET /held HTTP/1.1\r\nHost: x\r\n\r\n").await;
        let mut held = Vec::new();
        for n in 0..300 {
            held.push(connect(server.at, first).await);
            if n % 100 == 50 {
                let told = ask(server.at, [127, 0, 0, 1], "").await;
                assert_eq!(told, format!("127.0.0.1 http://{}", server.at), "beside {n} {what}");
            }
        }
        LET_GO.add_permits(1);
        assert!(answer(&mut busy).await.ends_with("at last"), "who was being answered beside those {what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_does_not_take_all_places() {
    let limits = Limits { per_address: 4, head: PATIENCE, ..Limits::default() };
    let server = served(limits, &["127.0.0.9"]).await;
    let mut held = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let at = server.at;
        held.spawn(async move {
            let mut stream = TcpStream::connect(at).await.expect("a connection");
            // It may be over already.
            let _ = stream.write_all(b"GET /").await;
            let mut room = [0; 64];
            stream.read(&mut room).await.unwrap_or(0)
        });
    }
    // All but four end; those are held for as long as the head may take.
    for _ in 0..36 {
        let ended = tokio::time::timeout(PATIENCE, held.join_next()).await.expect("an end in time");
        assert_eq!(ended.expect("one").expect("no panic"), 0);
    }
    assert!(ask(server.at, [127, 0, 0, 2], "").await.starts_with("127.0.0.2 "));
    assert!(ask(server.at, [127, 0, 0, 9], "X-Forwarded-For: 192.0.2.7\r\n").await.starts_with("192.0.2.7 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_named_proxy_says_where_a_caller_is() {
    let server = served(Limits::default(), &["127.0.0.1", "192.0.2.0/24"]).await;
    for (from, headers, expected) in [
        ([127, 0, 0, 1], "", "127.0.0.1"),
        ([127, 0, 0, 1], "X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"),
        ([127, 0, 0, 1], "X-Forwarded-For: 10.0.0.1, 203.0.113.7, 192.0.2.1\r\n", "203.0.113.7"),
        ([127, 0, 0, 1], "Forwarded: for=\"[2001:db8::7]:80\"\r\n", "2001:db8::7"),
        ([127, 0, 0, 2], "X-Forwarded-For: 203.0.113.7\r\n", "127.0.0.2"),
        ([127, 0, 0, 2], "Forwarded: for=203.0.113.7\r\nX-Real-IP: 203.0.113.7\r\n", "127.0.0.2"),
    ] {
        let told = ask(server.at, from, headers).await;
        assert_eq!(told, format!("{expected} http://{}", server.at), "{from:?} {headers}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_is_answered_before_the_end() {
    let server = served(Limits::default(), &[]).await;
    let mut kept = connect(server.at, KEPT).await;
    assert!(answer(&mut kept).await.starts_with("HTTP/1.1 200"));
    let mut busy = connect(server.at, "GET /held HTTP/1.1\r\nHost: x\r\n\r\n").await;
    // Once this one is answered the other has been taken as well.
    ask(server.at, [127, 0, 0, 1], "").await;
    server.stop.send(()).expect("a server");
    assert_eq!(rest(&mut kept).await, "", "nothing is under way there");
    assert!(TcpStream::connect(server.at).await.is_err(), "nobody new");
    LET_GO.add_permits(1);
    assert!(rest(&mut busy).await.ends_with("at last"));
    tokio::time::timeout(PATIENCE, server.task).await.expect("an end").expect("no panic");
}

/// A new port gets its limits by being a port of this kind.
#[test]
fn nobody_listens_but_the_listener() {
    let files = sources(&root().join("crates"));
    let listens = |text: &str| {
        let text = code(text);
        ["TcpListener::bind", "axum::serve", "serve_connection"].iter().any(|call| text.contains(call))
    };
    let found = files.iter().filter(|(file, text)| !file.contains("/tests/") && listens(text));
    let found: Vec<&str> = found.map(|(file, _)| file.as_str()).collect();
    let may = [
        "http/src/listen/mod.rs",
        // Looks for ports that are free.
        "lastmile/src/bench/server.rs",
        "store/src/testing.rs",
    ];
    assert_eq!(found, may);
}
