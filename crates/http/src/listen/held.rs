//! Connections that are held: what each is doing, and which go when there is no room.
//!
//! A connection is *silent* while it has no request, or only such whose bodies have not come yet: whoever holds it so
//! costs a place and gets nothing. When places run out the longest silent ones end, so that a flood of them lets everybody
//! in who has something to ask.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use service::kernel::origin;
use tokio::{sync::Notify, time::Instant};

use super::Limits;

/// One connection, as its task, its stream, its requests and the register see it.
pub(super) struct Held {
    id: u64,
    sender: IpAddr,
    limits: Limits,
    state: Mutex<State>,
    /// Nobody waits for it any more: its place is wanted, or a body did not come.
    pub ended: Notify,
}

#[derive(Debug)]
struct State {
    /// Requests that are being answered.
    requests: usize,
    /// Those of them whose bodies are waited for.
    waiting: usize,
    is_http2: bool,
    /// All that came so far was read: there was a turn for it.
    was_heard: bool,
    has_asked: bool,
    /// Since when there is no request, or since when there are some.
    since: Instant,
    /// When the first byte of a request's head came, until the head is whole.
    head: Option<Instant>,
    /// When last something of a request or an answer moved.
    moved: Instant,
    over: bool,
    gave_up: bool,
}

/// Why a connection ended before its client wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// A request's head did not come.
    Head,
    /// Kept alive, and not used.
    Idle,
    /// A request's body did not come.
    Body,
    /// A request or an answer that stands still.
    Stalled,
    /// Its place was needed.
    Room,
}

impl End {
    pub fn word(self) -> &'static str {
        match self {
            End::Head => "head",
            End::Idle => "idle",
            End::Body => "body",
            End::Stalled => "stalled",
            End::Room => "room",
        }
    }
}

impl Held {
    /// Everything was read that has come.
    pub fn heard_out(&self) {
        self.state.lock().was_heard = true;
    }

    /// Something was read.
    pub fn heard(&self, bytes: &[u8]) {
        let mut state = self.state.lock();
        if state.requests > 0 || state.is_http2 || state.head.is_some() {
            return;
        }
        // RFC 9113 §3.4: an HTTP/2 client begins so; its frames are no heads.
        state.is_http2 = !state.has_asked && bytes.starts_with(b"PRI");
        state.head = (!state.is_http2).then(Instant::now);
    }

    /// A request's head is whole. `None` when the connection is over.
    pub fn begin(self: &Arc<Held>) -> Option<Asked> {
        let mut state = self.state.lock();
        if state.over {
            return None;
        }
        let now = Instant::now();
        if state.requests == 0 {
            state.since = now;
        }
        state.requests += 1;
        (state.head, state.has_asked, state.moved) = (None, true, now);
        Some(Asked(self.clone()))
    }

    /// A body did not come.
    pub fn give_up(&self) {
        self.state.lock().gave_up = true;
        self.ended.notify_one();
    }

    /// Why it was ended from elsewhere.
    pub fn why(&self) -> End {
        if self.state.lock().gave_up { End::Body } else { End::Room }
    }

    pub fn moved(&self) {
        self.state.lock().moved = Instant::now();
    }

    /// Whether a request's body is waited for from now on, or no more.
    pub fn waits(&self, waits: bool) {
        let mut state = self.state.lock();
        if waits {
            state.waiting += 1;
        } else {
            state.waiting -= 1;
            state.moved = Instant::now();
        }
    }

    /// When it ends if nothing happens, and why.
    pub fn deadline(&self) -> (Instant, End) {
        let (state, limits) = (self.state.lock(), &self.limits);
        if state.requests > 0 {
            return (state.moved + limits.stalled, End::Stalled);
        }
        let idle = match state.has_asked {
            true => (state.since + limits.idle, End::Idle),
            false => (state.since + limits.head, End::Head),
        };
        match state.head.map(|head| head + limits.head) {
            Some(head) if head < idle.0 => (head, End::Head),
            _ => idle,
        }
    }

    /// Since when it is silent; `None` while it is being answered. The longest silent goes first, whatever it did before:
    /// who has just come is the last, and asks meanwhile.
    fn silence(&self) -> Option<Instant> {
        self.state.lock().silence()
    }

    /// Ends it if it is silent still.
    fn end(&self) -> bool {
        let mut state = self.state.lock();
        if state.silence().is_none() {
            return false;
        }
        state.over = true;
        self.ended.notify_one();
        true
    }
}

impl State {
    fn silence(&self) -> Option<Instant> {
        // Who has not had a turn yet may have asked already.
        let is_silent = self.requests == self.waiting && self.was_heard;
        (is_silent && !self.over).then_some(self.since)
    }
}

/// A request that is being answered, until the answer has been handed over whole.
pub(super) struct Asked(pub Arc<Held>);

impl Drop for Asked {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.requests -= 1;
        state.moved = Instant::now();
        if state.requests == 0 {
            state.since = state.moved;
        }
    }
}

/// All connections of one listener.
pub(super) struct Register {
    limits: Limits,
    next: AtomicU64,
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    held: HashMap<u64, Arc<Held>>,
    /// How many each sender has.
    of: HashMap<IpAddr, usize>,
}

impl Lines {
    fn remove(&mut self, id: u64) {
        let Some(held) = self.held.remove(&id) else { return };
        if let Entry::Occupied(mut of) = self.of.entry(held.sender) {
            *of.get_mut() -= 1;
            if *of.get() == 0 {
                of.remove();
            }
        }
    }
}

impl Register {
    pub fn new(limits: Limits) -> Arc<Register> {
        Arc::new(Register { limits, next: AtomicU64::new(0), lines: Mutex::default() })
    }

    /// A new connection's place. `None` when its sender has all that one sender may have, and uses them.
    pub fn enter(self: &Arc<Register>, peer: IpAddr, is_proxy: bool) -> Option<Line> {
        let (now, sender) = (Instant::now(), origin::sender(peer));
        let mut lines = self.lines.lock();
        // Who comes through a proxy is not told apart here: a proxy has limits of its own.
        if !is_proxy && lines.of.get(&sender).is_some_and(|own| *own >= self.limits.per_address) {
            let own = lines.held.values().filter(|held| held.sender == sender);
            let mut silent: Vec<_> = own.filter_map(|held| Some((held.silence()?, held.id))).collect();
            silent.sort_unstable();
            let gone = silent.iter().find(|(_, id)| lines.held[id].end())?.1;
            lines.remove(gone);
        }
        let state = State {
            requests: 0,
            waiting: 0,
            is_http2: false,
            was_heard: false,
            has_asked: false,
            since: now,
            head: None,
            moved: now,
            over: false,
            gave_up: false,
        };
        let one = Arc::new(Held {
            id: self.next.fetch_add(1, Ordering::Relaxed),
            sender,
            limits: self.limits,
            state: Mutex::new(state),
            ended: Notify::new(),
        });
        lines.held.insert(one.id, one.clone());
        *lines.of.entry(sender).or_default() += 1;
        Some(Line { register: self.clone(), held: one })
    }

    /// Ends a sixteenth of all places' connections, the longest silent; how many.
    pub fn make_room(&self) -> usize {
        let mut lines = self.lines.lock();
        let mut silent: Vec<(Instant, u64)> =
            lines.held.values().filter_map(|held| Some((held.silence()?, held.id))).collect();
        let most = (self.limits.connections / 16).max(1);
        if silent.len() > most {
            silent.select_nth_unstable(most - 1);
            silent.truncate(most);
        }
        let mut ended = 0;
        for (_, id) in silent {
            if lines.held[&id].end() {
                lines.remove(id);
                ended += 1;
            }
        }
        ended
    }

    pub fn count(&self) -> usize {
        self.lines.lock().held.len()
    }
}

/// A connection's line in the register, which goes with it.
pub(super) struct Line {
    register: Arc<Register>,
    pub held: Arc<Held>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.register.lines.lock().remove(self.held.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(connections: usize, per_address: usize) -> Arc<Register> {
        Register::new(Limits { connections, per_address, ..Limits::default() })
    }

    fn is_over(line: &Line) -> bool {
        line.held.state.lock().over
    }

    #[test]
    fn the_silent_make_room_and_the_busy_stay() {
        let register = register(16, 100);
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let lines: Vec<Line> = (0..11).map(|_| register.enter(address, false).unwrap()).collect();
        // 10 has not had its turn.
        lines[..10].iter().for_each(|line| line.held.heard_out());
        // 0 is being answered, 1 has been answered, 2's body does not come, 3 on said nothing.
        let _asked = lines[0].held.begin().unwrap();
        drop(lines[1].held.begin());
        let _waiting = lines[2].held.begin().unwrap();
        lines[2].held.waits(true);
        let mut order = Vec::new();
        while register.make_room() > 0 {
            let ended = lines.iter().enumerate().filter(|(_, line)| is_over(line)).map(|(at, _)| at);
            order.extend(ended.collect::<Vec<_>>().into_iter().filter(|at| !order.contains(at)).collect::<Vec<_>>());
        }
        assert_eq!(order, [3, 4, 5, 6, 7, 8, 9, 1, 2]);
        assert!(!is_over(&lines[0]) && !is_over(&lines[10]) && register.count() == 2);
        assert!(lines[1].held.begin().is_none(), "nothing is begun on one that is over");
        drop(lines);
        assert_eq!(register.count(), 0);
    }

    #[test]
    fn a_sender_has_so_many_and_a_proxy_has_all() {
        let register = register(1000, 3);
        let enter = |address: &str, is_proxy| register.enter(address.parse().unwrap(), is_proxy);
        let busy: Vec<(Line, Asked)> = (0..3)
            .map(|n| {
                let line = enter(&format!("2001:db8::{n}"), false).expect("room");
                let asked = line.held.begin().unwrap();
                (line, asked)
            })
            .collect();
        assert!(enter("2001:db8::99", false).is_none(), "one /64 is one sender");
        assert!(enter("2001:db8:0:1::", false).is_some());
        let proxied: Vec<Option<Line>> = (0..50).map(|_| enter("127.0.0.1", true)).collect();
        assert!(proxied.iter().all(Option::is_some));
        drop(busy);
        let quiet = |line: Line| {
            line.held.heard_out();
            line
        };
        let silent: Vec<Line> = (0..5).map(|_| quiet(enter("2001:db8::1", false).expect("room"))).collect();
        assert_eq!(silent.iter().map(is_over).collect::<Vec<_>>(), [true, true, false, false, false]);
    }

    #[test]
    fn what_is_waited_for_and_how_long() {
        let (register, limits) = (register(10, 10), Limits::default());
        let line = register.enter("192.0.2.1".parse().unwrap(), false).unwrap();
        let held = &line.held;
        let in_s = |(at, why): (Instant, End)| ((at - Instant::now()).as_secs_f64().ceil() as u64, why);
        let whole = |limit: std::time::Duration| limit.as_secs();
        assert_eq!(in_s(held.deadline()), (whole(limits.head), End::Head), "nothing was said yet");
        held.heard(b"GET /");
        assert_eq!(in_s(held.deadline()), (whole(limits.head), End::Head));
        let asked = held.begin().unwrap();
        assert_eq!(in_s(held.deadline()), (whole(limits.stalled), End::Stalled));
        drop(asked);
        assert_eq!(in_s(held.deadline()), (whole(limits.idle), End::Idle));
        held.heard(b"G");
        assert_eq!(in_s(held.deadline()), (whole(limits.head), End::Head), "a second request has begun");
        let line = register.enter("192.0.2.1".parse().unwrap(), false).unwrap();
        line.held.heard(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        drop(line.held.begin());
        line.held.heard(b"a ping");
        assert_eq!(in_s(line.held.deadline()), (whole(limits.idle), End::Idle), "frames are no heads");
    }
}
