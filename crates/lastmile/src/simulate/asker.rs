//! Many requests under way at once, for populations of lines: sockets opened as identifiers run out, answers verified,
//! and every request repeated the way a NAS does it. One thread, one poll; whoever owns it decides what is asked.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::UdpSocket};
use radius::{
    Overflow, Secret,
    client::{Answer, Draft, Signed},
    packet::MAX_PACKET,
};

/// Source ports to one destination of one router; each has 256 identifiers.
const PORTS_A_LANE: usize = 64;
/// Room for the answers to all 256 identifiers of a port at once, each of which costs the kernel more than a kilobyte:
/// with the usual 208 KiB a burst of answers is lost here, and its requests wait three seconds for their repetition.
const RECEIVE_BUFFER: usize = 1 << 20;
/// Datagrams taken from a socket before others have their turn.
const BURST: usize = 256;

/// How long an answer is awaited, and how often the request is sent in all.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub wait: Duration,
    pub tries: u8,
}

/// As routers come: three seconds, three times.
pub const PATIENCE: Patience = Patience { wait: Duration::from_secs(3), tries: 3 };

/// One router's way to one port of the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lane(usize);

pub enum Heard<T> {
    Answer { tag: T, answer: Answer, expects: Option<Box<[u8; 42]>>, took: Duration },
    Silence { tag: T },
    Order { place: usize, from: SocketAddr, bytes: Vec<u8> },
}

/// Requests by what became of them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Traffic {
    pub sent: u64,
    pub repeated: u64,
    /// Neither answer to anything that waits nor signed with the secret.
    pub strange: u64,
}

pub struct Asker<T> {
    poll: Poll,
    events: Events,
    secret: Secret,
    patience: Patience,
    lanes: Vec<LaneState>,
    ports: Vec<Port<T>>,
    /// Sent in this order, and so due in this order.
    due: VecDeque<(Instant, u32, u8, u32)>,
    orders: Vec<UdpSocket>,
    waiting: usize,
    generation: u32,
    pub traffic: Traffic,
}

struct LaneState {
    from: IpAddr,
    to: SocketAddr,
    ports: Vec<usize>,
    next: usize,
}

struct Port<T> {
    socket: UdpSocket,
    waiting: Vec<Option<Waiting<T>>>,
    busy: usize,
    next: u8,
}

struct Waiting<T> {
    tag: T,
    signed: Signed,
    expects: Option<Box<[u8; 42]>>,
    first: Instant,
    sent: u8,
    generation: u32,
}

impl<T: Copy> Asker<T> {
    pub fn new(secret: Secret, patience: Patience) -> io::Result<Asker<T>> {
        Ok(Asker {
            poll: Poll::new()?,
            events: Events::with_capacity(256),
            secret,
            patience,
            lanes: Vec::new(),
            ports: Vec::new(),
            due: VecDeque::new(),
            orders: Vec::new(),
            waiting: 0,
            generation: 0,
            traffic: Traffic::default(),
        })
    }

    pub fn lane(&mut self, from: IpAddr, to: SocketAddr) -> Lane {
        self.lanes.push(LaneState { from, to, ports: Vec::new(), next: 0 });
        Lane(self.lanes.len() - 1)
    }

    /// Awaits CoA and Disconnect here; told as `place` in [`Heard::Order`].
    pub fn listen(&mut self, at: SocketAddr) -> io::Result<usize> {
        let mut socket = UdpSocket::bind(at)?;
        let place = self.orders.len();
        self.poll.registry().register(&mut socket, Token(usize::MAX / 2 + place), Interest::READABLE)?;
        self.orders.push(socket);
        Ok(place)
    }

    pub fn reply(&self, place: usize, to: SocketAddr, bytes: &[u8]) {
        // Lost is lost: the server repeats its order.
        let _ = self.orders[place].send_to(bytes, to);
    }

    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Sends a request; false when every identifier of the lane is waiting.
    pub fn ask(
        &mut self,
        lane: Lane,
        tag: T,
        write: impl FnOnce(u8) -> Result<(Draft, Option<[u8; 42]>), Overflow>,
    ) -> io::Result<bool> {
        let Some(place) = self.port_with_room(lane)? else { return Ok(false) };
        let port = &mut self.ports[place];
        while port.waiting[usize::from(port.next)].is_some() {
            port.next = port.next.wrapping_add(1);
        }
        let id = port.next;
        port.next = port.next.wrapping_add(1);
        let (draft, expects) = write(id).map_err(|_| io::Error::other("a name too long for a packet"))?;
        let signed = draft.sign(&self.secret);
        let now = Instant::now();
        self.generation = self.generation.wrapping_add(1);
        // A full or refused socket is a lost datagram: it is repeated.
        let _ = port.socket.send(signed.bytes());
        let expects = expects.map(Box::new);
        let waiting = Waiting { tag, signed, expects, first: now, sent: 1, generation: self.generation };
        port.waiting[usize::from(id)] = Some(waiting);
        port.busy += 1;
        self.waiting += 1;
        self.traffic.sent += 1;
        self.due.push_back((now + self.patience.wait, place as u32, id, self.generation));
        Ok(true)
    }

    fn port_with_room(&mut self, lane: Lane) -> io::Result<Option<usize>> {
        let state = &mut self.lanes[lane.0];
        for _ in 0..state.ports.len() {
            let place = state.ports[state.next % state.ports.len()];
            if self.ports[place].busy < 256 {
                return Ok(Some(place));
            }
            state.next = state.next.wrapping_add(1);
        }
        if state.ports.len() == PORTS_A_LANE {
            return Ok(None);
        }
        let mut socket = UdpSocket::bind(SocketAddr::new(state.from, 0))?;
        socket.connect(state.to)?;
        // Where the system allows less, that much.
        let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
        let place = self.ports.len();
        self.poll.registry().register(&mut socket, Token(place), Interest::READABLE)?;
        state.next = state.ports.len();
        state.ports.push(place);
        self.ports.push(Port { socket, waiting: (0..256).map(|_| None).collect(), busy: 0, next: 0 });
        Ok(Some(place))
    }

    /// Waits at most so long for anything, and tells what came and what did not.
    pub fn turn(&mut self, wait: Duration, heard: &mut Vec<Heard<T>>) -> io::Result<()> {
        let now = Instant::now();
        let wait = self.due.front().map_or(wait, |(due, ..)| wait.min(due.saturating_duration_since(now)));
        // Whole milliseconds are what a poll knows; none is a look without waiting.
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let ready: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
        for place in ready {
            match place.checked_sub(usize::MAX / 2) {
                Some(place) => self.take_orders(place, heard),
                None => self.take_answers(place, heard),
            }
        }
        self.repeat(heard);
        Ok(())
    }

    fn take_answers(&mut self, place: usize, heard: &mut Vec<Heard<T>>) {
        let mut room = [0; MAX_PACKET];
        loop {
            let mut taken = 0;
            let port = &mut self.ports[place];
            // Edge-triggered: a socket is read until it is empty.
            while taken < BURST {
                taken += 1;
                let length = match port.socket.recv(&mut room) {
                    Ok(length) => length,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                    // A refused port is silence.
                    Err(_) => continue,
                };
                let slot = if length > 1 { usize::from(room[1]) } else { 0 };
                let verified =
                    port.waiting[slot].as_ref().and_then(|w| w.signed.verify(&room[..length], &self.secret).ok());
                match (verified, &mut port.waiting[slot]) {
                    (Some(packet), waiting) => {
                        let answer = Answer::of(&packet);
                        if let Some(Waiting { tag, expects, first, .. }) = waiting.take() {
                            port.busy -= 1;
                            self.waiting -= 1;
                            heard.push(Heard::Answer { tag, answer, expects, took: first.elapsed() });
                        }
                    }
                    (None, _) => self.traffic.strange += 1,
                }
            }
        }
    }

    fn take_orders(&mut self, place: usize, heard: &mut Vec<Heard<T>>) {
        let mut room = [0; MAX_PACKET];
        loop {
            match self.orders[place].recv_from(&mut room) {
                Ok((length, from)) => heard.push(Heard::Order { place, from, bytes: room[..length].to_vec() }),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {}
            }
        }
    }

    /// The same bytes again (RFC 5080 §2.2.1), until patience ends.
    fn repeat(&mut self, heard: &mut Vec<Heard<T>>) {
        let now = Instant::now();
        while let Some((_, place, id, generation)) = self.due.pop_front_if(|(due, ..)| *due <= now) {
            let port = &mut self.ports[place as usize];
            let slot = &mut port.waiting[usize::from(id)];
            let Some(waiting) = slot.as_mut().filter(|waiting| waiting.generation == generation) else { continue };
            if waiting.sent < self.patience.tries {
                waiting.sent += 1;
                self.traffic.repeated += 1;
                let _ = port.socket.send(waiting.signed.bytes());
                self.due.push_back((now + self.patience.wait, place, id, generation));
            } else {
                heard.push(Heard::Silence { tag: waiting.tag });
                *slot = None;
                port.busy -= 1;
                self.waiting -= 1;
            }
        }
    }
}

/// Durations counted in steps of about 4 %: percentiles of any number of them in a few kilobytes.
#[derive(Clone)]
pub struct Spread {
    counts: Vec<u64>,
    all: u64,
}

const STEPS_AN_OCTAVE: f64 = 16.0;

impl Default for Spread {
    fn default() -> Spread {
        Spread { counts: vec![0; 512], all: 0 }
    }
}

impl Spread {
    pub fn add(&mut self, took: Duration) {
        let us = took.as_micros().max(1) as f64;
        let place = (us.log2() * STEPS_AN_OCTAVE) as usize;
        let last = self.counts.len() - 1;
        self.counts[place.min(last)] += 1;
        self.all += 1;
    }

    pub fn merge(&mut self, other: &Spread) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.all += other.all;
    }

    pub fn count(&self) -> u64 {
        self.all
    }

    /// The duration that this share of them does not exceed, in milliseconds.
    pub fn ms(&self, share: f64) -> f64 {
        let wanted = (share * self.all as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (place, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return 2f64.powf((place as f64 + 1.0) / STEPS_AN_OCTAVE) / 1000.0;
            }
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use radius::{Code, Packet, Writer, authenticator};

    use super::*;

    #[test]
    fn percentiles_are_within_a_step() {
        let mut spread = Spread::default();
        for ms in 1..=1000 {
            spread.add(Duration::from_millis(ms));
        }
        for (share, expected) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let told = spread.ms(share);
            assert!((told / expected - 1.0).abs() < 0.06, "{share}: {told}");
        }
        assert_eq!(Spread::default().ms(0.5), 0.0);
    }

    #[test]
    fn a_burst_of_answers_to_every_identifier_of_a_port_is_heard() {
        let server = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket2::SockRef::from(&server).set_recv_buffer_size(RECEIVE_BUFFER).unwrap();
        let secret = Secret::new("s3cret");
        let mut asker: Asker<u32> = Asker::new(secret.clone(), PATIENCE).unwrap();
        let lane = asker.lane([127, 0, 0, 1].into(), server.local_addr().unwrap());
        for tag in 0..256 {
            assert!(asker.ask(lane, tag, |id| Ok((Draft::access(id), None))).unwrap());
        }
        let mut room = [0; MAX_PACKET];
        for _ in 0..256 {
            let (length, from) = server.recv_from(&mut room).unwrap();
            let request = Packet::parse(&room[..length]).unwrap();
            let mut writer = Writer::new(vec![0; MAX_PACKET], Code::AccessAccept, request.id());
            let mac_at = writer.put_message_authenticator().ok();
            writer.put(radius::attribute::CLASS, &[7; 200]).unwrap();
            authenticator::sign_response(writer.bytes_mut(), request.authenticator(), mac_at, &secret);
            server.send_to(writer.bytes(), from).unwrap();
        }
        let mut heard = Vec::new();
        let began = Instant::now();
        while asker.waiting() > 0 && began.elapsed() < Duration::from_secs(2) {
            asker.turn(Duration::from_millis(20), &mut heard).unwrap();
        }
        assert_eq!((heard.len(), asker.traffic.repeated), (256, 0));
    }

    #[test]
    fn a_silent_server_is_asked_three_times_and_an_answer_is_believed_only_with_the_secret() {
        let server = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let secret = Secret::new("s3cret");
        let patience = Patience { wait: Duration::from_millis(60), tries: 3 };
        let mut asker: Asker<u32> = Asker::new(secret.clone(), patience).unwrap();
        let lane = asker.lane([127, 0, 0, 1].into(), server.local_addr().unwrap());
        let ask = |asker: &mut Asker<u32>, tag| {
            let write = |id| {
                let mut draft = Draft::access(id);
                draft.pap("u", b"p", &secret)?;
                Ok((draft, None))
            };
            assert!(asker.ask(lane, tag, write).unwrap());
        };
        let mut heard = Vec::new();
        ask(&mut asker, 7);
        while heard.is_empty() {
            asker.turn(Duration::from_millis(20), &mut heard).unwrap();
        }
        assert!(matches!(heard[..], [Heard::Silence { tag: 7 }]));
        let mut room = [0; MAX_PACKET];
        let sent: Vec<Vec<u8>> = (0..3)
            .map(|_| {
                let (length, _) = server.recv_from(&mut room).unwrap();
                room[..length].to_vec()
            })
            .collect();
        assert!(sent[0] == sent[1] && sent[1] == sent[2]);

        heard.clear();
        ask(&mut asker, 8);
        let (length, from) = server.recv_from(&mut room).unwrap();
        let request = Packet::parse(&room[..length]).unwrap();
        for secret in [Secret::new("guessed"), secret.clone()] {
            let mut writer = Writer::new(vec![0; MAX_PACKET], Code::AccessAccept, request.id());
            let mac_at = writer.put_message_authenticator().ok();
            authenticator::sign_response(writer.bytes_mut(), request.authenticator(), mac_at, &secret);
            server.send_to(writer.bytes(), from).unwrap();
        }
        while heard.is_empty() {
            asker.turn(Duration::from_millis(20), &mut heard).unwrap();
        }
        assert!(matches!(heard[..], [Heard::Answer { tag: 8, .. }]));
        assert_eq!((asker.traffic, asker.waiting()), (Traffic { sent: 2, repeated: 2, strange: 1 }, 0));
    }
}
