//! Vouchers, cards, moves, renewal orders, grace, a line's own terms.

pub mod card;
pub mod grace;
pub mod period_part;
pub mod plan_move;
pub mod promises;
pub mod renewal_order;
pub mod terms;
pub mod voucher;
