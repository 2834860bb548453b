//! What a change that sells nothing makes of a line: it runs again, or what it has bought is over. Money tells that with
//! its sale, staff's decisions tell it as such ([`standing`](super::standing)), an end that has come is told in its second
//! ([`expiry`](super::expiry)); the rest is told here.

use domain::{Status, access::decide::Reason};
use store::people::service::Service;

use crate::{Change, Fact};

/// Compares a line with what it was. Whoever calls saves it afterwards.
pub(crate) fn tell(change: &Change<'_>, before: &Service, line: &mut Service, reason: &str) {
    match (before.off(change.now), line.off(change.now)) {
        // Time was moved on, or a quota was.
        (Some(Reason::Expired | Reason::QuotaUsedUp), None) => {
            change.tell(Fact::stands(line.id, line.customer_id, Status::Active, reason.into()));
        }
        (None, Some(Reason::QuotaUsedUp)) => {
            line.quota_event_ordinal = Some(line.period_ordinal);
            change.tell(Fact::ServiceQuotaUsedUp {
                line: line.id,
                customer: line.customer_id,
                used_bytes: line.used_bytes,
                quota_bytes: line.quota_bytes,
                used_time_s: line.used_time_s,
                quota_time_s: line.quota_time_s,
            });
        }
        _ => {}
    }
}
