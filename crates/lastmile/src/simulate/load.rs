//! A closed loop for measuring: always so many requests under way, the next one as soon as an answer is there.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use radius::{Code, attribute::acct_status};

use super::{
    asker::{Asker, Heard, PATIENCE, Spread},
    line::Method,
    people::{People, Told},
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    Login(Method),
    /// Start, Interim-Update and Stop of one session after another.
    Sessions,
}

#[derive(Clone, Default)]
pub struct Done {
    pub answered: u64,
    pub refused: u64,
    pub unanswered: u64,
    pub spread: Spread,
    pub elapsed: Duration,
}

#[derive(Clone, Copy)]
struct Tag {
    n: u32,
    stage: usize,
}

const STAGES: [u32; 3] = [acct_status::START, acct_status::INTERIM, acct_status::STOP];
/// Spread over the people, so that neighbours in the database are not neighbours in time.
const STRIDE: u64 = 7919;

pub fn run(people: &People, to: SocketAddr, work: Work, window: usize, time: Duration) -> io::Result<Done> {
    let mut asker: Asker<Tag> = Asker::new(people.secret.clone(), PATIENCE)?;
    let lanes: Vec<_> = people.routers.iter().map(|address| asker.lane(*address, to)).collect();
    let (mut done, mut heard, mut next) = (Done::default(), Vec::new(), 0);
    let began = Instant::now();
    let mut ready: Vec<Tag> = Vec::new();
    loop {
        let open = began.elapsed() < time;
        while open && asker.waiting() < window {
            let tag = ready.pop().unwrap_or_else(|| {
                next += 1;
                Tag { n: next, stage: 0 }
            });
            let person = (u64::from(tag.n) * STRIDE % u64::from(people.count)) as u32;
            let write = |id| match work {
                Work::Login(method) => people.login(id, person, tag.n, method),
                Work::Sessions => people.report(id, person, told(person, tag)),
            };
            if !asker.ask(lanes[people.router_of(person)], tag, write)? {
                ready.push(tag);
                break;
            }
        }
        if !open && (asker.waiting() == 0 || began.elapsed() > time + PATIENCE.wait) {
            break;
        }
        asker.turn(Duration::from_millis(5), &mut heard)?;
        for heard in heard.drain(..) {
            match heard {
                Heard::Answer { tag, answer, took, .. } => {
                    done.answered += 1;
                    done.refused += u64::from(answer.code() == Code::AccessReject);
                    done.spread.add(took);
                    done.elapsed = began.elapsed();
                    if work == Work::Sessions && tag.stage + 1 < STAGES.len() {
                        ready.push(Tag { stage: tag.stage + 1, ..tag });
                    }
                }
                Heard::Silence { .. } => done.unanswered += 1,
                Heard::Order { .. } => {}
            }
        }
    }
    Ok(done)
}

fn told(person: u32, tag: Tag) -> Told {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as u32);
    let status = STAGES[tag.stage];
    let cause = (status == acct_status::STOP).then_some(1);
    let seconds = tag.stage as u32 * 300;
    Told { status, session: tag.n, address: People::own_address(person), seconds, cause, at_unix: now }
}
