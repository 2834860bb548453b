//! Whose business a fact is. The change that tells it asks as its last act, so that no use case and no door can forget: what
//! belongs to the whole Isp is not written from within one branch, and a reseller's people give nothing away.

use super::Fact;

/// Who may make it so, the strictest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Reach {
    /// Whoever the use case lets.
    #[default]
    Anyone,
    /// Nobody of a reseller's: it gives a customer something that the reseller has not bought, or takes as settled what the
    /// reseller owes.
    NoReseller,
    /// Nobody who is confined to a branch.
    WholeIsp,
}

impl Fact {
    pub fn reach(&self) -> Reach {
        match self {
            Fact::ZoneCreated { .. }
            | Fact::ZoneUpdated { .. }
            | Fact::ZoneDeleted { .. }
            | Fact::ApiClientCreated { .. }
            | Fact::ApiClientUpdated { .. }
            | Fact::ApiClientRotated { .. }
            | Fact::ApiClientTokensMade { .. }
            | Fact::ApiClientRevoked { .. }
            | Fact::BandwidthCreated { .. }
            | Fact::BandwidthUpdated { .. }
            | Fact::BandwidthDeleted { .. }
            | Fact::PoolCreated { .. }
            | Fact::PoolDeleted { .. }
            | Fact::PlanCopied { .. }
            | Fact::PlanCreated { .. }
            | Fact::PlanFupChosen { .. }
            | Fact::PlanRenews { .. }
            | Fact::PlanUpdated { .. }
            | Fact::PlanDeleted { .. }
            | Fact::FupTemplateCreated { .. }
            | Fact::FupTemplateUpdated { .. }
            | Fact::FupTemplateDeleted { .. }
            | Fact::RouterCreated { .. }
            | Fact::RouterCoaPortSet { .. }
            | Fact::RouterUpdated { .. }
            | Fact::RouterDeleted { .. }
            | Fact::OltCreated { .. }
            | Fact::OltUpdated { .. }
            | Fact::OltDeleted { .. }
            | Fact::OnuCreated { .. }
            | Fact::OnuUpdated { .. }
            | Fact::OnuDeleted { .. }
            | Fact::DeviceCreated { .. }
            | Fact::DeviceUpdated { .. }
            | Fact::DeviceDeleted { .. }
            | Fact::StatusCheckCreated { .. }
            | Fact::StatusCheckUpdated { .. }
            | Fact::StatusCheckDeleted { .. }
            | Fact::VpnAccountCreated { .. }
            | Fact::VpnAccountUpdated { .. }
            | Fact::VpnAccountDeleted { .. }
            | Fact::PlaceCreated { .. }
            | Fact::PlaceUpdated { .. }
            | Fact::PlaceDeleted { .. }
            | Fact::DepartmentCreated { .. }
            | Fact::DepartmentUpdated { .. }
            | Fact::DepartmentDeleted { .. }
            | Fact::VouchersCreated { .. }
            | Fact::VouchersDeleted { .. }
            | Fact::CardsGenerated { .. }
            | Fact::CardsIssued { .. }
            | Fact::OperatorFunded { .. } => Reach::WholeIsp,
            Fact::OwnFupCreated { .. }
            | Fact::FupOverridden { .. }
            | Fact::LineAttributesChanged { .. }
            | Fact::LineAttributesPut { .. }
            | Fact::ServiceGraceGiven { .. }
            | Fact::InvoiceVoided { .. }
            | Fact::CollectionApproved { .. } => Reach::NoReseller,
            Fact::IspCreated { .. }
            | Fact::StaffCreated { .. }
            | Fact::StaffSuspended { .. }
            | Fact::StaffRestored { .. }
            | Fact::StaffDeleted { .. }
            | Fact::StaffUpdated { .. }
            | Fact::TokenReused { .. }
            | Fact::OwnFupDeleted { .. }
            | Fact::FupCleared { .. }
            | Fact::FupCrossed { .. }
            | Fact::FupRelaxed { .. }
            | Fact::FupReset { .. }
            | Fact::RouterSigns { .. }
            | Fact::SessionLost { .. }
            | Fact::CoaAcknowledged { .. }
            | Fact::CoaRefused { .. }
            | Fact::CoaUnanswered { .. }
            | Fact::CustomerCreated { .. }
            | Fact::CustomerPasswordSet { .. }
            | Fact::CustomerUpdated { .. }
            | Fact::CustomerDeleted { .. }
            | Fact::ServiceCreated { .. }
            | Fact::ServiceRecharged { .. }
            | Fact::ServiceActivated { .. }
            | Fact::ServiceSuspended { .. }
            | Fact::ServiceDisabled { .. }
            | Fact::ServiceDeactivated { .. }
            | Fact::ServiceExpired { .. }
            | Fact::ServiceQuotaUsedUp { .. }
            | Fact::LineDeleted { .. }
            | Fact::LineMacLearnt { .. }
            | Fact::LinePriced { .. }
            | Fact::LineTermsChanged { .. }
            | Fact::LineSiteChanged { .. }
            | Fact::LinePlanChanged { .. }
            | Fact::LineChanged { .. }
            | Fact::ServiceSecretRead { .. }
            | Fact::ServiceMoveOrdered { .. }
            | Fact::ServiceMoved { .. }
            | Fact::ServiceRenewalOrdered { .. }
            | Fact::ServiceRenewalFailed { .. }
            | Fact::ServiceFirstUsed { .. }
            | Fact::VoucherUsed { .. }
            | Fact::VoucherRedeemed { .. }
            | Fact::CardUsed { .. }
            | Fact::PaymentReceived { .. }
            | Fact::InvoiceIssuedPaid { .. }
            | Fact::InvoiceIssued { .. }
            | Fact::InvoiceUpdated { .. }
            | Fact::InvoicePaid { .. }
            | Fact::CollectionRequested { .. }
            | Fact::CollectionMade { .. }
            | Fact::CollectionDisapproved { .. }
            | Fact::StaffFunded { .. }
            | Fact::OperatorPriced { .. }
            | Fact::FloatHandedIn { .. }
            | Fact::SalespersonPlans { .. }
            | Fact::SalespersonRenews { .. }
            | Fact::ComplaintCreated { .. }
            | Fact::ComplaintCommented { .. }
            | Fact::ComplaintUpdated { .. }
            | Fact::ComplaintClosed { .. }
            | Fact::WebhookCreated { .. }
            | Fact::WebhookRotated { .. }
            | Fact::WebhookUpdated { .. }
            | Fact::WebhookDeleted { .. }
            | Fact::WebhookDisabled { .. } => Reach::Anyone,
        }
    }
}
