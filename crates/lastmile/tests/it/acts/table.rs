//! The acts, what each is done to, and what it leaves behind. A row says it once for all doors: what differs by a vendor's
//! document is an exception with its source, in `known`.

use super::{columns::COLUMNS, scene::Bill};

/// An act that more than one door offers, or that means the same as one of those.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    // sales
    FirstSale,
    Given,
    SellRunning,
    SellOver,
    SellSuspended,
    SellOther,
    SellOtherOver,
    SellFromWallet,
    SellFromWalletOver,
    SellUsed,
    SellTwiceOneKey,
    SellPartPaid,
    SellGivingBack,
    // moves
    ChangePlan,
    ChangePlanBilled,
    ChangePlanBilledUsed,
    ChangePlanBilledPaid,
    ChangePlanAtEnd,
    ChangePlanAtEndPaidAhead,
    ChangePlanOnDay,
    ChangePlanSame,
    ClearUsage,
    // standing
    Suspend,
    Restore,
    RestoreOver,
    Disable,
    SwitchOff,
    SwitchOn,
    MakePending,
    Delete,
    DeleteClearing,
    Rename,
    RenameSame,
    // ends
    EndLater,
    EndPast,
    EndLaterOver,
    Grace,
    GraceOver,
    RunsOut,
    Speed,
    Volume,
    VolumeSpent,
    // money
    PayBill,
    PayPart,
    PayInParts,
    PayMore,
    PayBillFromWallet,
    PayRestOfSale,
    TopUp,
    BillPackage,
    BillPackageTwice,
    BillPackageDiscounted,
    PayPackage,
    PayPackageOver,
    PayPackageInParts,
    PayPackageFromWallet,
    TopUpRenewing,
    PayTwiceOneReference,
    GiveBackToReseller,
    SellGivingBackToReseller,
    // codes
    Voucher,
    Card,
    // starts
    SellWaiting,
    BeginByHand,
    BeginOnItsDay,
    // refusals
    SellDead,
    FirstSaleDead,
    MoveToDead,
    EditHalfWrong,
    EditPriceBelowZero,
    PayNothing,
    PayTooMuch,
    DropPlanOfVoucher,
    DropPlanOfCard,
    DropPlanOfMove,
    DropPlanOfRenewal,
}

use Act::*;

/// What the line is before the act. Ten days have gone of its thirty, or thirty-one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    Nobody,
    Runs,
    Over,
    Suspended,
    /// Switched off by staff.
    Off,
    /// It begins in five days.
    Waits,
    /// Over, and it renews itself.
    RenewsOver,
    /// A reseller has sold it.
    Resold,
    /// A hundred less for each period.
    Discounted,
    /// 1000.00 of its next period is still due.
    PartPaid,
}

pub struct Found {
    pub line: Line,
    pub wallet: i64,
    pub bill: Bill,
    /// It has used 3 GB of 10.
    pub used: bool,
}

#[rustfmt::skip]
pub const CHAPTERS: &[(&str, &[Act])] = &[
    ("sales", &[FirstSale, Given, SellRunning, SellOver, SellSuspended, SellOther, SellOtherOver, SellFromWallet,
        SellFromWalletOver, SellUsed, SellTwiceOneKey, SellPartPaid, SellGivingBack]),
    ("moves", &[ChangePlan, ChangePlanBilled, ChangePlanBilledUsed, ChangePlanBilledPaid, ChangePlanAtEnd,
        ChangePlanAtEndPaidAhead, ChangePlanOnDay, ChangePlanSame, ClearUsage]),
    ("standing", &[Suspend, Restore, RestoreOver, Disable, SwitchOff, SwitchOn, MakePending, Delete, DeleteClearing, Rename, RenameSame]),
    ("ends", &[EndLater, EndPast, EndLaterOver, Grace, GraceOver, RunsOut, Speed, Volume, VolumeSpent]),
    ("money", &[PayBill, PayPart, PayInParts, PayMore, PayBillFromWallet, PayRestOfSale, TopUp, BillPackage,
        BillPackageTwice, BillPackageDiscounted, PayPackage,
        PayPackageOver, PayPackageInParts, PayPackageFromWallet, TopUpRenewing, PayTwiceOneReference,
        GiveBackToReseller, SellGivingBackToReseller]),
    ("codes", &[Voucher, Card]),
    ("starts", &[SellWaiting, BeginByHand, BeginOnItsDay]),
    ("refusals", &[SellDead, FirstSaleDead, MoveToDead, EditHalfWrong, EditPriceBelowZero, PayNothing, PayTooMuch,
        DropPlanOfVoucher, DropPlanOfCard, DropPlanOfMove, DropPlanOfRenewal]),
];

impl Act {
    pub fn before(self) -> Found {
        let line = match self {
            FirstSale | Given | FirstSaleDead => Line::Nobody,
            SellOver | SellOtherOver | SellFromWalletOver | EndLaterOver | GraceOver | RestoreOver | PayPackageOver
            | Voucher | Card => Line::Over,
            SellSuspended | Restore => Line::Suspended,
            SwitchOn => Line::Off,
            TopUpRenewing => Line::RenewsOver,
            GiveBackToReseller | SellGivingBackToReseller => Line::Resold,
            BillPackageDiscounted => Line::Discounted,
            PayRestOfSale => Line::PartPaid,
            SellWaiting | BeginByHand | BeginOnItsDay => Line::Waits,
            _ => Line::Runs,
        };
        let wallet = match self {
            SellFromWallet | SellFromWalletOver | PayBillFromWallet | PayPackageFromWallet => 2000,
            ChangePlanBilledPaid => 5000,
            _ => 0,
        };
        let bill = match self {
            PayBill | PayPart | PayInParts | PayMore | PayBillFromWallet | DeleteClearing => Bill::Other(900),
            BillPackageTwice | PayPackage | PayPackageOver | PayPackageInParts | PayPackageFromWallet => Bill::Package,
            _ => Bill::None,
        };
        let used = matches!(self, SellUsed | ChangePlanBilledUsed | ClearUsage | Volume | VolumeSpent);
        Found { line, wallet, bill, used }
    }

    /// Nothing at all may change.
    pub fn is_refused(self) -> bool {
        row(self).answer == "refused"
    }
}

/// What a row has where nothing of the kind is left behind.
const NOTHING: Row = Row {
    answer: "done",
    facts: "",
    ledger: "",
    allocations: "",
    receipts: "",
    papers: "",
    line: "active gold until 20d",
    usage: "",
    radius: "Accept 10M/10M",
};

struct Row {
    answer: &'static str,
    facts: &'static str,
    ledger: &'static str,
    allocations: &'static str,
    receipts: &'static str,
    papers: &'static str,
    line: &'static str,
    usage: &'static str,
    radius: &'static str,
}

const SOLD: &str = "bill.generated invoice.generated invoice.paid payment.received";
const SOLD_AND_ON: &str =
    "bill.generated connection.activated customer.activated invoice.generated invoice.paid payment.received";
const PAID_SALE: &str = "recharge: cash 1500.00, revenue -1293.10, tax -206.90";
const PAID_INVOICE: &str = "payment 1 to invoice 1 1500.00";
const FOR_INVOICE: &str = "payment 1 for invoice 1";
const SUSPENDED: &str = "connection.suspended customer.suspended";
const ACTIVATED: &str = "connection.activated customer.activated";
const ENDED: &str = "connection.suspended customer.suspended package.expired";
const NO_TIME: &str = "Reject: Your package has expired, please recharge";

pub fn expected(act: Act) -> [&'static str; COLUMNS.len()] {
    let row = row(act);
    [row.answer, row.facts, row.ledger, row.allocations, row.receipts, row.papers, row.line, row.usage, row.radius]
}

/// A sale of gold, paid on the spot.
const SALE: Row = Row {
    facts: SOLD,
    ledger: PAID_SALE,
    allocations: PAID_INVOICE,
    receipts: FOR_INVOICE,
    papers: "invoice 1 1500.00 paid; payment 1 1500.00; gold 1500.00 0d..30d on invoice 1",
    line: "active gold until 30d",
    ..NOTHING
};

const REFUSED: Row = Row { answer: "refused", ..NOTHING };

fn row(act: Act) -> Row {
    match act {
        FirstSale => Row {
            facts: "bill.generated connection.activated customer.created invoice.generated invoice.paid package.assigned \
                    payment.received",
            ..SALE
        },
        // Time that a customer comes with, or is given.
        Given => Row {
            facts: "connection.activated customer.created package.assigned",
            papers: "gold 0.00 0d..30d on nothing",
            line: "active gold until 30d",
            ..NOTHING
        },
        SellRunning | SellTwiceOneKey => Row {
            papers: "invoice 1 1500.00 paid; payment 1 1500.00; gold 1500.00 20d..50d on invoice 1",
            line: "active gold until 50d",
            ..SALE
        },
        SellOver => Row { facts: SOLD_AND_ON, ..SALE },
        SellSuspended => Row {
            facts: SOLD_AND_ON,
            papers: "invoice 1 1500.00 paid; payment 1 1500.00; gold 1500.00 20d..50d on invoice 1",
            line: "active gold until 50d",
            ..SALE
        },
        SellOther | SellOtherOver => Row {
            facts: if act == SellOther {
                "bill.generated invoice.generated invoice.paid package.changed payment.received"
            } else {
                "bill.generated connection.activated customer.activated invoice.generated invoice.paid \
                 package.changed payment.received"
            },
            ledger: "recharge: cash 3000.00, revenue -2586.21, tax -413.79",
            allocations: "payment 1 to invoice 1 3000.00",
            papers: "invoice 1 3000.00 paid; payment 1 3000.00; silver 3000.00 0d..30d on invoice 1",
            line: "active silver until 30d",
            radius: "Accept 20M/20M",
            ..SALE
        },
        SellFromWallet | SellFromWalletOver => Row {
            facts: if act == SellFromWallet {
                "bill.generated invoice.generated invoice.paid"
            } else {
                "bill.generated connection.activated customer.activated invoice.generated invoice.paid"
            },
            ledger: "recharge: revenue -1293.10, tax -206.90, wallet 1500.00",
            papers: if act == SellFromWallet {
                "invoice 1 1500.00 paid; gold 1500.00 20d..50d on invoice 1"
            } else {
                "invoice 1 1500.00 paid; gold 1500.00 0d..30d on invoice 1"
            },
            line: if act == SellFromWallet { "active gold until 50d" } else { "active gold until 30d" },
            ..NOTHING
        },
        // Behind a running period, which it goes on using; a period behind one adds its quota.
        SellUsed => Row {
            papers: "invoice 1 1500.00 paid; payment 1 1500.00; capped 1500.00 20d..50d on invoice 1",
            line: "active capped until 50d",
            usage: "3000 of 20000 MB, shown 3000, fair use 3000",
            radius: "Accept 10M/10M Mikrotik-Total-Limit=4115098112 Mikrotik-Total-Limit-Gigawords=3",
            ..SALE
        },

        // What is not paid stays due on its invoice.
        SellPartPaid => Row {
            facts: "bill.generated invoice.generated payment.received",
            ledger: "activation: cash 500.00, receivable 1000.00, revenue -1293.10, tax -206.90",
            allocations: "payment 1 to invoice 1 500.00",
            papers: "invoice 1 1500.00 partial 500.00 due 7d; payment 1 500.00; gold 1500.00 20d..50d on invoice 1",
            line: "active gold until 50d",
            ..SALE
        },
        // From now, and what is left of the running period goes back to who paid it.
        SellGivingBack => Row {
            ledger: "credit_note: revenue 862.07, tax 137.93, wallet -1000.00; \
                     recharge: cash 1500.00, revenue -1293.10, tax -206.90",
            papers: "invoice 1 1500.00 paid; payment 1 1500.00; credit 1000.00 of bill 1; gold 1500.00 0d..30d on invoice 1",
            ..SALE
        },
        SellGivingBackToReseller => Row {
            ledger: "credit_note: revenue 574.72, tax 91.95, wallet:staff -666.67; \
                     recharge: cash 1500.00, revenue -1293.10, tax -206.90",
            papers: "invoice 1 1500.00 paid; payment 1 1500.00; credit 666.67 of bill 1; gold 1500.00 0d..30d on invoice 1",
            ..SALE
        },

        ChangePlan => {
            Row { facts: "package.changed", line: "active silver until 20d", radius: "Accept 20M/20M", ..NOTHING }
        }
        // 20 of 30 days of gold are left: 1000.00 goes back, and silver is owed.
        ChangePlanBilled => Row {
            facts: "bill.generated invoice.generated package.changed",
            ledger: "credit_note: revenue 862.07, tax 137.93, wallet -1000.00; \
                     bill: receivable 3000.00, revenue -2586.21, tax -413.79; payment: receivable -1000.00, wallet 1000.00",
            papers: "invoice 1 3000.00 partial 1000.00 due 7d; credit 1000.00 of bill 1; silver 3000.00 0d..30d on invoice 1",
            line: "active silver until 30d",
            radius: "Accept 20M/20M",
            ..NOTHING
        },
        // Of the data 7 of 10 GB are left, of the time 20 of 30 days: the scarcer counts.
        ChangePlanBilledUsed => Row {
            facts: "bill.generated invoice.generated package.changed",
            ledger: "credit_note: revenue 862.07, tax 137.93, wallet -1000.00; \
                     bill: receivable 3000.00, revenue -2586.21, tax -413.79; payment: receivable -1000.00, wallet 1000.00",
            papers: "invoice 1 3000.00 partial 1000.00 due 7d; credit 1000.00 of bill 1; silver 3000.00 0d..30d on invoice 1",
            line: "active silver until 30d",
            radius: "Accept 20M/20M",
            ..NOTHING
        },
        ChangePlanBilledPaid => Row {
            facts: "bill.generated invoice.generated invoice.paid package.changed",
            ledger: "credit_note: revenue 862.07, tax 137.93, wallet -1000.00; \
                     bill: receivable 3000.00, revenue -2586.21, tax -413.79; payment: receivable -3000.00, wallet 3000.00",
            papers: "invoice 1 3000.00 paid; credit 1000.00 of bill 1; silver 3000.00 0d..30d on invoice 1",
            line: "active silver until 30d",
            radius: "Accept 20M/20M",
            ..NOTHING
        },
        ChangePlanAtEnd => Row {
            facts: "connection.suspended customer.suspended package.changed package.expired",
            line: "expired silver until 20d",
            radius: NO_TIME,
            ..NOTHING
        },
        // The end has moved meanwhile: the move waits for it.
        ChangePlanAtEndPaidAhead => Row {
            papers: "invoice 1 1500.00 paid; payment 1 1500.00; gold 1500.00 20d..50d on invoice 1",
            line: "active gold until 50d",
            ..SALE
        },
        ChangePlanOnDay => {
            Row { facts: "package.changed", line: "active silver until 20d", radius: "Accept 20M/20M", ..NOTHING }
        }
        ChangePlanSame => NOTHING,
        ClearUsage => Row {
            line: "active capped until 20d",
            usage: "0 of 10000 MB, shown 0, fair use 0",
            radius: "Accept 10M/10M Mikrotik-Total-Limit=1410065408 Mikrotik-Total-Limit-Gigawords=2",
            ..NOTHING
        },

        Suspend => Row {
            facts: SUSPENDED,
            line: "suspended gold until 20d",
            radius: "Reject: Your service is suspended, please contact us",
            ..NOTHING
        },
        Disable => Row {
            facts: SUSPENDED,
            line: "disabled gold until 20d",
            radius: "Reject: Your service is disabled, please contact us",
            ..NOTHING
        },
        SwitchOff => Row {
            facts: SUSPENDED,
            line: "inactive gold until 20d",
            radius: "Reject: Your service is switched off, please contact us",
            ..NOTHING
        },
        MakePending => Row {
            facts: SUSPENDED,
            line: "pending gold until 20d",
            radius: "Reject: Your service has not started yet",
            ..NOTHING
        },
        Restore | SwitchOn => Row { facts: ACTIVATED, ..NOTHING },
        RestoreOver => Row { line: "expired gold until -1d", radius: NO_TIME, ..REFUSED },
        Delete => Row {
            facts: "connection.terminated customer.deleted",
            line: "gone",
            radius: "Reject: Wrong username or password",
            ..NOTHING
        },
        DeleteClearing => Row {
            facts: "connection.terminated customer.deleted",
            ledger: "credit_note: receivable -900.00, revenue 775.86, tax 124.14",
            papers: "bill 2 900.00 void 0.00; credit 900.00 of bill 2",
            line: "gone",
            radius: "Reject: Wrong username or password",
            ..NOTHING
        },
        Rename => Row { facts: "customer.updated", ..NOTHING },
        RenameSame => NOTHING,

        EndLater => Row { line: "active gold until 25d", ..NOTHING },
        EndPast => Row { facts: ENDED, line: "expired gold until -2d", radius: NO_TIME, ..NOTHING },
        EndLaterOver => Row { facts: ACTIVATED, line: "active gold until 5d", ..NOTHING },
        Grace => Row { line: "active gold until 23d", ..NOTHING },
        GraceOver => Row { facts: ACTIVATED, line: "active gold until 3d", ..NOTHING },
        RunsOut => Row { facts: ENDED, line: "expired gold until 20d", radius: NO_TIME, ..NOTHING },
        Speed => Row { radius: "Accept 20M/20M", ..NOTHING },
        Volume => Row {
            line: "active capped until 20d",
            usage: "3000 of 5000 MB, shown 3000, fair use 3000",
            radius: "Accept 10M/10M Mikrotik-Total-Limit=2000000000",
            ..NOTHING
        },
        VolumeSpent => Row {
            facts: SUSPENDED,
            line: "expired capped until 20d",
            usage: "3000 of 2000 MB, shown 3000, fair use 3000",
            radius: "Reject: Your package is used up, please recharge",
            ..NOTHING
        },

        PayBill => Row {
            facts: "invoice.paid payment.received",
            ledger: "payment: cash 900.00, receivable -900.00",
            allocations: "payment 1 to bill 2 900.00",
            receipts: "payment 1 for bill 2",
            papers: "bill 2 900.00 paid 900.00; payment 1 900.00",
            ..NOTHING
        },
        PayPart => Row {
            facts: "payment.received",
            ledger: "payment: cash 400.00, receivable -400.00",
            allocations: "payment 1 to bill 2 400.00",
            receipts: "payment 1 for bill 2",
            papers: "bill 2 900.00 partial 400.00; payment 1 400.00",
            ..NOTHING
        },
        PayInParts => Row {
            facts: "invoice.paid payment.received payment.received",
            ledger: "payment: cash 400.00, receivable -400.00; payment: cash 500.00, receivable -500.00",
            allocations: "payment 1 to bill 2 400.00; payment 2 to bill 2 500.00",
            receipts: "payment 1 for bill 2; payment 2 for bill 2",
            papers: "bill 2 900.00 paid 900.00; payment 1 400.00; payment 2 500.00",
            ..NOTHING
        },
        PayMore => Row {
            facts: "invoice.paid payment.received",
            ledger: "payment: cash 1000.00, receivable -900.00, wallet -100.00",
            allocations: "payment 1 to bill 2 900.00",
            receipts: "payment 1 for bill 2",
            papers: "bill 2 900.00 paid 900.00; payment 1 1000.00",
            ..NOTHING
        },
        PayBillFromWallet => Row {
            facts: "invoice.paid",
            papers: "bill 2 900.00 paid 900.00",
            ledger: "payment: receivable -900.00, wallet 900.00",
            ..NOTHING
        },
        // Its period has been sold.
        PayRestOfSale => Row {
            facts: "invoice.paid payment.received",
            ledger: "payment: cash 1000.00, receivable -1000.00",
            allocations: "payment 1 to bill 2 1000.00",
            receipts: "payment 1 for bill 2",
            papers: "bill 2 1500.00 paid 1500.00; payment 1 1000.00",
            line: "active gold until 50d",
            ..NOTHING
        },
        TopUp => Row {
            facts: "payment.received",
            ledger: "payment: cash 700.00, wallet -700.00",
            receipts: "payment 1 for none",
            papers: "payment 1 700.00",
            ..NOTHING
        },
        BillPackage => Row {
            facts: "bill.generated invoice.generated",
            ledger: "bill: receivable 1500.00, revenue -1293.10, tax -206.90",
            papers: "invoice 1 1500.00 unpaid 0.00 due 7d",
            ..NOTHING
        },
        BillPackageDiscounted => Row {
            facts: "bill.generated invoice.generated",
            ledger: "bill: receivable 1400.00, revenue -1206.90, tax -193.10",
            papers: "invoice 1 1400.00 unpaid 0.00 due 7d",
            ..NOTHING
        },
        BillPackageTwice => Row { answer: "refused", ..NOTHING },
        PayPackage => Row {
            facts: "invoice.paid payment.received",
            ledger: "payment: cash 1500.00, receivable -1500.00",
            allocations: "payment 1 to bill 2 1500.00",
            receipts: "payment 1 for bill 2",
            papers: "bill 2 1500.00 paid 1500.00; payment 1 1500.00; gold 1500.00 20d..50d on bill 2",
            line: "active gold until 50d",
            ..NOTHING
        },
        PayPackageOver => Row {
            facts: "connection.activated customer.activated invoice.paid payment.received",
            ledger: "payment: cash 1500.00, receivable -1500.00",
            allocations: "payment 1 to bill 2 1500.00",
            receipts: "payment 1 for bill 2",
            papers: "bill 2 1500.00 paid 1500.00; payment 1 1500.00; gold 1500.00 0d..30d on bill 2",
            line: "active gold until 30d",
            ..NOTHING
        },
        PayPackageInParts => Row {
            facts: "invoice.paid payment.received payment.received",
            ledger: "payment: cash 400.00, receivable -400.00; payment: cash 1100.00, receivable -1100.00",
            allocations: "payment 1 to bill 2 400.00; payment 2 to bill 2 1100.00",
            receipts: "payment 1 for bill 2; payment 2 for bill 2",
            papers: "bill 2 1500.00 paid 1500.00; payment 1 400.00; payment 2 1100.00; gold 1500.00 20d..50d on bill 2",
            line: "active gold until 50d",
            ..NOTHING
        },
        PayPackageFromWallet => Row {
            facts: "invoice.paid",
            ledger: "payment: receivable -1500.00, wallet 1500.00",
            papers: "bill 2 1500.00 paid 1500.00; gold 1500.00 20d..50d on bill 2",
            line: "active gold until 50d",
            ..NOTHING
        },

        // In the payment's own transaction, not with the next look.
        TopUpRenewing => Row {
            facts: "bill.generated connection.activated customer.activated invoice.generated invoice.paid payment.received",
            ledger: "payment: cash 1500.00, wallet -1500.00; recharge: revenue -1293.10, tax -206.90, wallet 1500.00",
            receipts: "payment 1 for none",
            papers: "invoice 1 1500.00 paid; payment 1 1500.00; gold 1500.00 0d..30d on invoice 1",
            line: "active gold until 30d",
            ..NOTHING
        },
        // A provider's receipt counts once, however it is written.
        PayTwiceOneReference => Row {
            facts: "payment.received",
            ledger: "payment: cash 700.00, wallet -700.00",
            receipts: "payment 1 for none",
            papers: "payment 1 700.00",
            ..NOTHING
        },
        // What is left of what the reseller paid comes back to him.
        GiveBackToReseller => Row {
            facts: "bill.generated invoice.generated package.changed",
            ledger: "credit_note: revenue 574.72, tax 91.95, wallet:staff -666.67; \
                     bill: receivable 3000.00, revenue -2586.21, tax -413.79",
            papers: "invoice 1 3000.00 unpaid 0.00 due 7d; credit 666.67 of bill 1; silver 3000.00 0d..30d on invoice 1",
            line: "active silver until 30d",
            radius: "Accept 20M/20M",
            ..NOTHING
        },

        // Codes are money: a card's is its distributor's to hand in.
        Voucher => Row { facts: SOLD_AND_ON, ..SALE },
        Card => {
            Row { facts: SOLD_AND_ON, ledger: "recharge: float:staff 1500.00, revenue -1293.10, tax -206.90", ..SALE }
        }

        SellWaiting => Row {
            papers: "invoice 1 1500.00 paid; payment 1 1500.00; gold 1500.00 35d..65d on invoice 1",
            line: "pending gold until 65d",
            radius: "Reject: Your service has not started yet",
            ..SALE
        },
        BeginByHand => Row { facts: ACTIVATED, line: "active gold until 30d", ..NOTHING },
        BeginOnItsDay => Row { facts: ACTIVATED, line: "active gold until 35d", ..NOTHING },

        SellDead | MoveToDead | EditHalfWrong | EditPriceBelowZero | PayNothing | PayTooMuch | DropPlanOfVoucher
        | DropPlanOfCard | DropPlanOfMove | DropPlanOfRenewal => REFUSED,
        FirstSaleDead => Row { line: "gone", radius: "Reject: Wrong username or password", ..REFUSED },
    }
}
