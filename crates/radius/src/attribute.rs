//! Numbers of the attributes that code here and above names often. All others are found by name in `dictionary`.

pub const USER_NAME: u8 = 1;
pub const USER_PASSWORD: u8 = 2;
pub const CHAP_PASSWORD: u8 = 3;
pub const NAS_IP_ADDRESS: u8 = 4;
pub const NAS_PORT: u8 = 5;
pub const SERVICE_TYPE: u8 = 6;
pub const FRAMED_PROTOCOL: u8 = 7;
pub const FRAMED_IP_ADDRESS: u8 = 8;
pub const FRAMED_IP_NETMASK: u8 = 9;
pub const FILTER_ID: u8 = 11;
pub const FRAMED_MTU: u8 = 12;
pub const REPLY_MESSAGE: u8 = 18;
pub const FRAMED_ROUTE: u8 = 22;
pub const STATE: u8 = 24;
pub const CLASS: u8 = 25;
pub const VENDOR_SPECIFIC: u8 = 26;
pub const SESSION_TIMEOUT: u8 = 27;
pub const IDLE_TIMEOUT: u8 = 28;
pub const TERMINATION_ACTION: u8 = 29;
pub const CALLED_STATION_ID: u8 = 30;
pub const CALLING_STATION_ID: u8 = 31;
pub const NAS_IDENTIFIER: u8 = 32;
pub const PROXY_STATE: u8 = 33;
pub const ACCT_STATUS_TYPE: u8 = 40;
pub const ACCT_DELAY_TIME: u8 = 41;
pub const ACCT_INPUT_OCTETS: u8 = 42;
pub const ACCT_OUTPUT_OCTETS: u8 = 43;
pub const ACCT_SESSION_ID: u8 = 44;
pub const ACCT_AUTHENTIC: u8 = 45;
pub const ACCT_SESSION_TIME: u8 = 46;
pub const ACCT_INPUT_PACKETS: u8 = 47;
pub const ACCT_OUTPUT_PACKETS: u8 = 48;
pub const ACCT_TERMINATE_CAUSE: u8 = 49;
pub const ACCT_MULTI_SESSION_ID: u8 = 50;
pub const ACCT_LINK_COUNT: u8 = 51;
pub const ACCT_INPUT_GIGAWORDS: u8 = 52;
pub const ACCT_OUTPUT_GIGAWORDS: u8 = 53;
pub const EVENT_TIMESTAMP: u8 = 55;
pub const CHAP_CHALLENGE: u8 = 60;
pub const NAS_PORT_TYPE: u8 = 61;
pub const PORT_LIMIT: u8 = 62;
pub const TUNNEL_PASSWORD: u8 = 69;
pub const CONNECT_INFO: u8 = 77;
pub const EAP_MESSAGE: u8 = 79;
pub const MESSAGE_AUTHENTICATOR: u8 = 80;
pub const ACCT_INTERIM_INTERVAL: u8 = 85;
pub const NAS_PORT_ID: u8 = 87;
pub const FRAMED_POOL: u8 = 88;
pub const CHARGEABLE_USER_IDENTITY: u8 = 89;
pub const NAS_IPV6_ADDRESS: u8 = 95;
pub const FRAMED_INTERFACE_ID: u8 = 96;
pub const FRAMED_IPV6_PREFIX: u8 = 97;
pub const FRAMED_IPV6_ROUTE: u8 = 99;
pub const FRAMED_IPV6_POOL: u8 = 100;
pub const ERROR_CAUSE: u8 = 101;
pub const DELEGATED_IPV6_PREFIX: u8 = 123;
pub const FRAMED_IPV6_ADDRESS: u8 = 168;
pub const DNS_SERVER_IPV6_ADDRESS: u8 = 169;
pub const DELEGATED_IPV6_PREFIX_POOL: u8 = 171;
pub const STATEFUL_IPV6_ADDRESS_POOL: u8 = 172;

/// Private enterprise numbers of the vendors whose dictionaries are built in.
pub mod vendor {
    pub const CISCO: u32 = 9;
    pub const MICROSOFT: u32 = 311;
    pub const HUAWEI: u32 = 2011;
    pub const JUNIPER: u32 = 2636;
    pub const ADSL_FORUM: u32 = 3561;
    pub const ZTE: u32 = 3902;
    pub const ERX: u32 = 4874;
    pub const ALCATEL_SR: u32 = 6527;
    pub const ROARING_PENGUIN: u32 = 10055;
    pub const WISPR: u32 = 14122;
    pub const CHILLISPOT: u32 = 14559;
    pub const ARUBA: u32 = 14823;
    pub const MIKROTIK: u32 = 14988;
    pub const CAMBIUM: u32 = 17713;
    pub const RUCKUS: u32 = 25053;
    pub const H3C: u32 = 25506;
    pub const UBIQUITI: u32 = 41112;
}

/// RFC 2866 §5.1.
pub mod acct_status {
    pub const START: u32 = 1;
    pub const STOP: u32 = 2;
    pub const INTERIM: u32 = 3;
    pub const ON: u32 = 7;
    pub const OFF: u32 = 8;
}

/// RFC 5176 §3.6 (RFC 3576 §3.5).
pub mod error_cause {
    pub const RESIDUAL_SESSION_REMOVED: u32 = 201;
    pub const UNSUPPORTED_ATTRIBUTE: u32 = 401;
    pub const MISSING_ATTRIBUTE: u32 = 402;
    pub const NAS_IDENTIFICATION_MISMATCH: u32 = 403;
    pub const INVALID_REQUEST: u32 = 404;
    pub const UNSUPPORTED_SERVICE: u32 = 405;
    pub const UNSUPPORTED_EXTENSION: u32 = 406;
    pub const INVALID_ATTRIBUTE_VALUE: u32 = 407;
    pub const ADMINISTRATIVELY_PROHIBITED: u32 = 501;
    pub const SESSION_NOT_FOUND: u32 = 503;
    pub const SESSION_NOT_REMOVABLE: u32 = 504;
    pub const RESOURCES_UNAVAILABLE: u32 = 506;
}
