//! Where a door does not agree yet, and what a vendor's document says otherwise for its own calls.

use super::table::Act::{self, *};

/// A place where a vendor's document asks for something else: act, door with the name of its way, column, what it leaves,
/// and where that is asked for.
pub type Exception = (Act, &'static str, &'static str, &'static str, &'static str);

const Z7: &str = "docs/readings.md Z7: profile_status 2 on an expired subscriber changes nothing";
const LAST_DAY: &str = "docs/readings.md 2.10: suspend_date is the last day of the period";
const MIGRATION: &str = "docs/readings.md 3.4: a migration sells the time that is left and keeps its end";
const ON_ZALS_BOOKS: &str = "docs/readings.md 3.3: invoices of type 1 are activations, of type 3 migrations";

#[rustfmt::skip]
pub const EXCEPTIONS: &[Exception] = &[
    (RestoreOver, "Zal", "answer", "done", Z7),
    (EndLater, "V1", "line", "active gold until 25d-1s", LAST_DAY),
    (EndPast, "V1", "line", "expired gold until -2d-1s", LAST_DAY),
    (EndLaterOver, "V1", "line", "active gold until 5d-1s", LAST_DAY),
    (FirstSale, "Zal create, activation", "ledger", "activation: cash 1500.00, revenue -1293.10, tax -206.90", ON_ZALS_BOOKS),
    (SellRunning, "Zal", "ledger", "activation: cash 1500.00, revenue -1293.10, tax -206.90", ON_ZALS_BOOKS),
    (SellOver, "Zal", "ledger", "activation: cash 1500.00, revenue -1293.10, tax -206.90", ON_ZALS_BOOKS),
    (SellSuspended, "Zal", "ledger", "activation: cash 1500.00, revenue -1293.10, tax -206.90", ON_ZALS_BOOKS),
    (SellUsed, "Zal", "ledger", "activation: cash 1500.00, revenue -1293.10, tax -206.90", ON_ZALS_BOOKS),
    (SellWaiting, "Zal", "ledger", "activation: cash 1500.00, revenue -1293.10, tax -206.90", ON_ZALS_BOOKS),
    (SellTwiceOneKey, "Zal", "ledger", "activation: cash 1500.00, revenue -1293.10, tax -206.90", ON_ZALS_BOOKS),
    (SellOther, "Zal", "ledger", "activation: cash 3000.00, revenue -2586.21, tax -413.79", ON_ZALS_BOOKS),
    (SellOtherOver, "Zal", "ledger", "activation: cash 3000.00, revenue -2586.21, tax -413.79", ON_ZALS_BOOKS),
    (SellFromWallet, "Zal method 4", "ledger", "activation: revenue -1293.10, tax -206.90, wallet 1500.00", ON_ZALS_BOOKS),
    (SellFromWallet, "Zal cut", "ledger", "activation: revenue -1293.10, tax -206.90, wallet 1500.00", ON_ZALS_BOOKS),
    (SellFromWallet, "Zal mass", "ledger", "activation: revenue -1293.10, tax -206.90, wallet 1500.00", ON_ZALS_BOOKS),
    (SellFromWalletOver, "Zal method 4", "ledger", "activation: revenue -1293.10, tax -206.90, wallet 1500.00", ON_ZALS_BOOKS),
    (SellFromWalletOver, "Zal cut", "ledger", "activation: revenue -1293.10, tax -206.90, wallet 1500.00", ON_ZALS_BOOKS),
    (SellFromWalletOver, "Zal mass", "ledger", "activation: revenue -1293.10, tax -206.90, wallet 1500.00", ON_ZALS_BOOKS),
    (ChangePlanBilled, "Zal", "ledger", "credit_note: revenue 862.07, tax 137.93, wallet -1000.00; migration: receivable 2000.00, revenue -1724.14, tax -275.86; payment: receivable -1000.00, wallet 1000.00", MIGRATION),
    (ChangePlanBilled, "Zal", "papers", "invoice 1 2000.00 partial 1000.00 due 7d; credit 1000.00 of bill 1; silver 2000.00 0d..20d on invoice 1", MIGRATION),
    (ChangePlanBilled, "Zal", "line", "active silver until 20d", MIGRATION),
    (ChangePlanBilledUsed, "Zal", "ledger", "credit_note: revenue 862.07, tax 137.93, wallet -1000.00; migration: receivable 2000.00, revenue -1724.14, tax -275.86; payment: receivable -1000.00, wallet 1000.00", MIGRATION),
    (ChangePlanBilledUsed, "Zal", "papers", "invoice 1 2000.00 partial 1000.00 due 7d; credit 1000.00 of bill 1; silver 2000.00 0d..20d on invoice 1", MIGRATION),
    (ChangePlanBilledUsed, "Zal", "line", "active silver until 20d", MIGRATION),
    (ChangePlanBilledPaid, "Zal", "ledger", "credit_note: revenue 862.07, tax 137.93, wallet -1000.00; migration: receivable 2000.00, revenue -1724.14, tax -275.86; payment: receivable -2000.00, wallet 2000.00", MIGRATION),
    (ChangePlanBilledPaid, "Zal", "papers", "invoice 1 2000.00 paid; credit 1000.00 of bill 1; silver 2000.00 0d..20d on invoice 1", MIGRATION),
    (ChangePlanBilledPaid, "Zal", "line", "active silver until 20d", MIGRATION),
    (GiveBackToReseller, "Zal", "ledger", "credit_note: revenue 574.72, tax 91.95, wallet:staff -666.67; migration: receivable 2000.00, revenue -1724.14, tax -275.86", MIGRATION),
    (GiveBackToReseller, "Zal", "papers", "invoice 1 2000.00 unpaid 0.00 due 7d; credit 666.67 of bill 1; silver 2000.00 0d..20d on invoice 1", MIGRATION),
    (GiveBackToReseller, "Zal", "line", "active silver until 20d", MIGRATION),
];

/// Act, door with the name of its way, column. A place that agrees must be taken off.
#[rustfmt::skip]
pub const KNOWN: &[(Act, &str, &str)] = &[
];
