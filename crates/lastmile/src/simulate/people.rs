//! What numbered subscribers send: user000000 with pass000000 and on, each always through the same router and port.

use std::net::{IpAddr, Ipv4Addr};

use radius::{
    Overflow, Secret,
    attribute::{self, acct_status},
    client::Draft,
};

use super::{line::Method, nas::PORT_VIRTUAL};

/// How subscribers and routers are called.
#[derive(Clone, Debug)]
pub struct People {
    pub count: u32,
    pub user_prefix: String,
    pub pass_prefix: String,
    pub routers: Vec<IpAddr>,
    pub secret: Secret,
    /// Two runs never use one session id.
    pub run: u32,
}

/// What a report says beside who.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub status: u32,
    pub session: u32,
    pub address: Ipv4Addr,
    pub seconds: u32,
    pub cause: Option<u32>,
    pub at_unix: u32,
}

/// Bytes a second on every line, up and down.
const UP: u64 = 30_000;
const DOWN: u64 = 250_000;

impl People {
    pub fn router_of(&self, person: u32) -> usize {
        person as usize % self.routers.len()
    }

    pub fn name(&self, person: u32) -> String {
        format!("{}{person:06}", self.user_prefix)
    }

    /// The other way round, for orders that name a subscriber.
    pub fn number(&self, name: &str) -> Option<u32> {
        name.strip_prefix(&*self.user_prefix)?.parse().ok().filter(|person| *person < self.count)
    }

    pub fn session_text(&self, session: u32) -> String {
        format!("{:06x}{session:08x}", self.run & 0xff_ffff)
    }

    pub fn session_number(&self, text: &str) -> Option<u32> {
        let rest = text.strip_prefix(&*format!("{:06x}", self.run & 0xff_ffff))?;
        u32::from_str_radix(rest, 16).ok()
    }

    /// In 100.64.0.0/10, where the server leaves the choice to the router.
    pub fn own_address(person: u32) -> Ipv4Addr {
        Ipv4Addr::from(0x6440_0000 | (person & 0x3f_ffff))
    }

    pub fn login(&self, id: u8, person: u32, session: u32, method: Method) -> Result<Login, Overflow> {
        let (name, password) = (self.name(person), format!("{}{person:06}", self.pass_prefix));
        let (mut draft, mut expects) = (Draft::access(id), None);
        match method {
            Method::Pap => draft.pap(&name, password.as_bytes(), &self.secret)?,
            Method::Chap => draft.chap(&name, password.as_bytes())?,
            Method::MsChapV2 => expects = Some(draft.mschapv2(&name, password.as_bytes())?),
        }
        self.place(&mut draft, person)?;
        draft.put_text(attribute::ACCT_SESSION_ID, &self.session_text(session))?;
        Ok((draft, expects))
    }

    pub fn report(&self, id: u8, person: u32, told: Told) -> Result<Login, Overflow> {
        let mut draft = Draft::accounting(id);
        draft.put_u32(attribute::ACCT_STATUS_TYPE, told.status)?;
        draft.put_text(attribute::ACCT_SESSION_ID, &self.session_text(told.session))?;
        draft.put_text(attribute::USER_NAME, &self.name(person))?;
        self.place(&mut draft, person)?;
        draft.put_ipv4(attribute::FRAMED_IP_ADDRESS, told.address)?;
        draft.put_u32(attribute::EVENT_TIMESTAMP, told.at_unix)?;
        if told.status != acct_status::START {
            let (up, down) = (u64::from(told.seconds) * UP, u64::from(told.seconds) * DOWN);
            draft.put_u32(attribute::ACCT_SESSION_TIME, told.seconds)?;
            // RFC 2869 §5.1: gigawords count wraps of 2^32.
            draft.put_u32(attribute::ACCT_INPUT_OCTETS, up as u32)?;
            draft.put_u32(attribute::ACCT_OUTPUT_OCTETS, down as u32)?;
            draft.put_u32(attribute::ACCT_INPUT_GIGAWORDS, (up >> 32) as u32)?;
            draft.put_u32(attribute::ACCT_OUTPUT_GIGAWORDS, (down >> 32) as u32)?;
        }
        if let Some(cause) = told.cause {
            draft.put_u32(attribute::ACCT_TERMINATE_CAUSE, cause)?;
        }
        Ok((draft, None))
    }

    fn place(&self, draft: &mut Draft, person: u32) -> Result<(), Overflow> {
        let router = self.router_of(person);
        if let IpAddr::V4(address) = self.routers[router] {
            draft.put_ipv4(attribute::NAS_IP_ADDRESS, address)?;
        }
        draft.put_text(attribute::NAS_IDENTIFIER, &format!("simulated-{router}"))?;
        draft.put_u32(attribute::NAS_PORT, person + 1)?;
        draft.put_u32(attribute::NAS_PORT_TYPE, PORT_VIRTUAL)?;
        let [a, b, c, d] = person.to_be_bytes();
        draft.put_text(attribute::CALLING_STATION_ID, &format!("02:00:{a:02X}:{b:02X}:{c:02X}:{d:02X}"))?;
        draft.put_u32(attribute::SERVICE_TYPE, 2)?; // Framed
        draft.put_u32(attribute::FRAMED_PROTOCOL, 1) // PPP
    }
}

/// A draft, and what a right MS-CHAPv2 answer must hold.
pub type Login = (Draft, Option<[u8; 42]>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sessions_lead_back_to_people() {
        let people = People {
            count: 1000,
            user_prefix: "user".into(),
            pass_prefix: "pass".into(),
            routers: vec![[127, 0, 0, 1].into(), [127, 0, 0, 2].into()],
            secret: Secret::new("s"),
            run: 0x12ab_cdef,
        };
        assert_eq!(people.name(42), "user000042");
        assert_eq!(people.number("user000042"), Some(42));
        assert_eq!((people.number("user001000"), people.number("guest")), (None, None));
        assert_eq!(people.session_number(&people.session_text(77)), Some(77));
        assert_eq!(people.session_number("00000000000001"), None);
        assert_eq!((people.router_of(2), people.router_of(3)), (0, 1));
    }
}
