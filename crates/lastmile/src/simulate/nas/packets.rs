//! What a router writes: logins (RFC 2865), reports of sessions (RFC 2866) and of itself.

use domain::{Instant, kernel::clock::SECOND};
use radius::{
    Overflow,
    attribute::{self, acct_status},
    client::Draft,
};

use super::{Nas, Out, PORT_WIRELESS, Port, Session};
use crate::simulate::line::Method;

impl Nas {
    pub(super) fn draft_access(
        &self,
        id: u8,
        line: usize,
        session: &str,
        password: &str,
    ) -> Result<(Draft, Option<[u8; 42]>), Overflow> {
        let subscriber = &self.config.lines[line];
        let (mut draft, mut expects) = (Draft::access(id), None);
        match subscriber.method {
            Method::Pap => draft.pap(&subscriber.username, password.as_bytes(), &self.config.secret)?,
            Method::Chap => draft.chap(&subscriber.username, password.as_bytes())?,
            Method::MsChapV2 => expects = Some(draft.mschapv2(&subscriber.username, password.as_bytes())?),
        }
        self.place(&mut draft, line)?;
        draft.put_text(attribute::ACCT_SESSION_ID, session)?;
        Ok((draft, expects))
    }

    /// Which router, which port, which device: the same in logins and reports.
    fn place(&self, draft: &mut Draft, line: usize) -> Result<(), Overflow> {
        draft.put_ipv4(attribute::NAS_IP_ADDRESS, self.config.address)?;
        draft.put_text(attribute::NAS_IDENTIFIER, &self.config.name)?;
        draft.put_u32(attribute::NAS_PORT, 1 + line as u32)?;
        draft.put_u32(attribute::NAS_PORT_TYPE, self.config.port_type)?;
        draft.put_text(attribute::CALLING_STATION_ID, &self.config.lines[line].mac.to_string())?;
        if self.config.port_type != PORT_WIRELESS {
            draft.put_u32(attribute::SERVICE_TYPE, 2)?; // Framed
            draft.put_u32(attribute::FRAMED_PROTOCOL, 1)?; // PPP
        }
        Ok(())
    }

    pub(super) fn draft_report(
        &self,
        id: u8,
        line: usize,
        session: &Session,
        status: u32,
        cause: Option<u32>,
        now: Instant,
    ) -> Result<Draft, Overflow> {
        let mut draft = Draft::accounting(id);
        draft.put_u32(attribute::ACCT_STATUS_TYPE, status)?;
        draft.put_text(attribute::ACCT_SESSION_ID, &session.id)?;
        draft.put_text(attribute::USER_NAME, &self.config.lines[line].username)?;
        self.place(&mut draft, line)?;
        if let Some(address) = session.address {
            draft.put_ipv4(attribute::FRAMED_IP_ADDRESS, address)?;
        }
        for class in &session.class {
            draft.put(attribute::CLASS, class)?;
        }
        draft.put_u32(attribute::EVENT_TIMESTAMP, now.unix() as u32)?;
        if status != acct_status::START {
            let (up, down) = (session.up as u64, session.down as u64);
            draft.put_u32(attribute::ACCT_SESSION_TIME, ((now.0 - session.began.0) / SECOND) as u32)?;
            // RFC 2869 §5.1: gigawords count wraps of 2^32.
            draft.put_u32(attribute::ACCT_INPUT_OCTETS, up as u32)?;
            draft.put_u32(attribute::ACCT_OUTPUT_OCTETS, down as u32)?;
            draft.put_u32(attribute::ACCT_INPUT_GIGAWORDS, (up >> 32) as u32)?;
            draft.put_u32(attribute::ACCT_OUTPUT_GIGAWORDS, (down >> 32) as u32)?;
            draft.put_u32(attribute::ACCT_INPUT_PACKETS, (up / 200) as u32)?;
            draft.put_u32(attribute::ACCT_OUTPUT_PACKETS, (down / 1100) as u32)?;
        }
        if let Some(cause) = cause {
            draft.put_u32(attribute::ACCT_TERMINATE_CAUSE, cause)?;
        }
        Ok(draft)
    }

    /// Accounting-On and -Off (RFC 2866 §5.1).
    pub(super) fn whole_router(&mut self, status: u32, now: Instant, out: &mut Out) {
        let Some(id) = self.acct.free() else { return };
        let mut draft = Draft::accounting(id);
        let written = (|| {
            draft.put_u32(attribute::ACCT_STATUS_TYPE, status)?;
            draft.put_text(attribute::ACCT_SESSION_ID, "00000000")?;
            draft.put_ipv4(attribute::NAS_IP_ADDRESS, self.config.address)?;
            draft.put_text(attribute::NAS_IDENTIFIER, &self.config.name)?;
            draft.put_u32(attribute::EVENT_TIMESTAMP, now.unix() as u32)
        })();
        if let Ok(()) = written {
            let signed = draft.sign(&self.config.secret);
            self.send(Port::Acct, id, None, signed, None, String::new(), now, out);
        }
    }
}
