//! The unique keys of the schema, by name: what a transaction that came second is told. Primary keys are not among them: to
//! violate one is a fault, or what `on conflict` is for.
//!
//! A key is known by the columns that both engines name in the same words. A test holds this table against the schema.

macro_rules! keys {
    ($($name:ident = $index:literal on $columns:literal,)*) => {
        /// A unique key of the schema.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Key { $($name),* }

        impl Key {
            pub const ALL: &[Key] = &[$(Key::$name),*];

            /// Its index.
            pub fn index(self) -> &'static str {
                match self { $(Key::$name => $index),* }
            }

            /// `table.column, table.column`, as a violation is told.
            pub fn columns(self) -> &'static str {
                match self { $(Key::$name => $columns),* }
            }
        }
    };
}

keys! {
    ApiClientPublicId = "api_client_public_id" on "api_client.public_id",
    ApiClientKey = "api_client_key" on "api_client.key_hash",
    BandwidthName = "bandwidth_name" on "bandwidth.isp_id, bandwidth.name_key",
    CreditNoteInvoice = "credit_note_invoice" on "credit_note.isp_id, credit_note.invoice_id",
    CustomerUsername = "customer_username" on "customer.isp_id, customer.username_key",
    DeliveryOnce = "delivery_once" on "delivery.isp_id, delivery.webhook_id, delivery.event_seq, delivery.event",
    DeviceExternal = "device_external" on "device.isp_id, device.source, device.external_key",
    DeviceName = "device_name" on "device.isp_id, device.name_key",
    DeviceProblemExternal = "device_problem_external" on "device_problem.isp_id, device_problem.external_id",
    FixedAddress = "fixed_address_key" on "fixed_address.isp_id, fixed_address.address_key",
    FupTemplateName = "fup_template_name" on "fup_template.isp_id, fup_template.name_key",
    InvoiceNumber = "invoice_number" on "invoice.isp_id, invoice.series, invoice.number",
    JobUnique = "job_unique" on "job.isp_id, job.unique_key",
    MessageHandle = "message_handle" on "message.isp_id, message.handle",
    OltName = "olt_name" on "olt.isp_id, olt.name_key",
    OnuLine = "onu_line" on "onu.isp_id, onu.olt_id, onu.pon_port, onu.line_key",
    OnuMac = "onu_mac" on "onu.isp_id, onu.mac_key",
    OnuSerial = "onu_serial" on "onu.isp_id, onu.serial_key",
    OperatorBranch = "operator_branch" on "operator.isp_id, operator.branch_id",
    PaymentReference = "payment_reference" on "payment.isp_id, payment.provider, payment.reference_key",
    PeriodOrdinal = "period_ordinal" on "period.isp_id, period.service_id, period.ordinal",
    PlanName = "plan_name" on "plan.isp_id, plan.name_key",
    PoolName = "pool_name" on "pool.isp_id, pool.name_key",
    RechargeCardCode = "recharge_card_code" on "recharge_card.isp_id, recharge_card.code_hash",
    RouterName = "router_name" on "router.isp_id, router.name_key",
    ServiceOrdinal = "service_ordinal" on "service.isp_id, service.customer_id, service.ordinal",
    ServiceUsername = "service_username" on "service.isp_id, service.username_key",
    SessionKey = "session_key" on "session.isp_id, session.router_id, session.acct_session_id, session.username_key, session.nas_port, session.generation",
    StaffEmail = "staff_email" on "staff.isp_id, staff.email_key",
    StatusCheckName = "status_check_name" on "status_check.isp_id, status_check.name_key",
    TokenHash = "token_hash" on "token.hash",
    VoucherCode = "voucher_code" on "voucher.isp_id, voucher.code_key",
    VpnAccountHost = "vpn_account_host" on "vpn_account.isp_id, vpn_account.protocol, vpn_account.host_key",
    VpnAccountUsername = "vpn_account_username" on "vpn_account.isp_id, vpn_account.username_key",
    ZoneAccount = "zone_account" on "zone.isp_id, zone.account_key",
}

impl Key {
    /// The key over these columns, if it is one of the schema's.
    pub fn over(columns: &str) -> Option<Key> {
        Key::ALL.iter().copied().find(|key| key.columns() == columns)
    }
}
