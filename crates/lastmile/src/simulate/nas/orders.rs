//! CoA and Disconnect, obeyed (RFC 5176).

use domain::Instant;
use radius::{
    Code, Packet,
    attribute::{self, error_cause},
    das,
};

use super::{Nas, Out, Phase, cause};
use crate::simulate::grant::Grant;

impl Nas {
    /// A CoA- or Disconnect-Request: the answer to give, if one is due.
    pub fn ordered(&mut self, now: Instant, datagram: &[u8], out: &mut Out) -> Option<Vec<u8>> {
        let secret = self.config.secret.clone();
        let request = das::verify(datagram, &secret)?;
        let Some(line) = self.meant(&request) else {
            return Some(das::answer(&request, Some(error_cause::SESSION_NOT_FOUND), &secret));
        };
        if request.code() == Code::DisconnectRequest {
            self.counts.disconnected += 1;
            let back_s = self.chance.between(4.0, 12.0);
            self.hang_up(line, cause::ADMIN_RESET, back_s, now, out);
        } else {
            self.counts.changed += 1;
            self.change(line, &Grant::of(&request), now);
        }
        Some(das::answer(&request, None, &secret))
    }

    /// The session a request names: by its id, else by address, else by name (RFC 5176 §3). All that is named must fit.
    fn meant(&self, request: &Packet<'_>) -> Option<usize> {
        let (id, name) = (request.text(attribute::ACCT_SESSION_ID), request.text(attribute::USER_NAME));
        let address = request.ipv4(attribute::FRAMED_IP_ADDRESS);
        if id.is_none() && name.is_none() && address.is_none() {
            return None;
        }
        self.phases.iter().zip(&self.config.lines).position(|(phase, line)| match phase {
            Phase::Off | Phase::Asking => false,
            Phase::Online(session) => {
                id.is_none_or(|id| id == session.id)
                    && name.is_none_or(|name| name.eq_ignore_ascii_case(&line.username))
                    && address.is_none_or(|address| Some(address) == session.address)
            }
        })
    }

    fn change(&mut self, line: usize, grant: &Grant, now: Instant) {
        self.count(line, now);
        let Phase::Online(session) = &mut self.phases[line] else { return };
        session.rates = grant.rates.unwrap_or(session.rates);
        if let Some(timeout_s) = grant.session_timeout_s {
            session.ends_at = Some(now.plus_seconds(timeout_s.into()));
        }
        if let Some(limit) = grant.limit_bytes {
            session.limit_bytes = Some(limit.saturating_add((session.up + session.down) as u64));
        }
        self.wake(line);
    }
}
