-- What the HTTP doors need beside the core: counted requests, messages to send, vouchers, the hotspot's access log.

-- `month` is year × 12 + month − 1 in the Isp's zone; `over` counts requests beyond what the tier includes.
create table api_usage (
    isp_id bigint not null,
    client_id bigint not null,
    month bigint not null,
    requests bigint not null,
    over bigint not null,
    primary key (isp_id, client_id, month)
);

-- Messages to customers, written in the transaction that causes them and sent afterwards.
create table message (
    isp_id bigint not null,
    id bigint not null,
    channel text not null,
    kind text not null,
    recipient text not null,
    body text not null,
    customer_id bigint,
    status text not null,
    attempts bigint not null,
    next_at bigint not null,
    provider_ref text,
    error text,
    created_at bigint not null,
    sent_at bigint,
    primary key (isp_id, id)
);
create index message_due on message (next_at) where status = 'queued';
create index message_customer on message (isp_id, customer_id, created_at);

-- `code_key` is the lower-cased code while the voucher lives; null frees it.
create table voucher (
    isp_id bigint not null,
    id bigint not null,
    kind text not null,
    plan_id bigint not null,
    router_id bigint not null,
    customer_id bigint,
    code text not null,
    code_key text,
    clients bigint not null,
    used bigint not null,
    last_client text,
    last_used_at bigint,
    created_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create unique index voucher_code on voucher (isp_id, code_key);
create index voucher_created on voucher (isp_id, created_at, id) where deleted_at is null;

-- A client's use of a voucher; the ordinal makes sure that no use is given twice.
create table voucher_use (
    isp_id bigint not null,
    voucher_id bigint not null,
    ordinal bigint not null,
    customer_id bigint not null,
    service_id bigint not null,
    client text not null,
    used_at bigint not null,
    primary key (isp_id, voucher_id, ordinal)
);
create index voucher_use_customer on voucher_use (isp_id, customer_id, used_at);

-- Steps of people at the captive portal.
create table hotspot_access (
    isp_id bigint not null,
    id bigint not null,
    at bigint not null,
    router_id bigint not null,
    mac text,
    customer_id bigint,
    username text,
    device text,
    kind text not null,
    primary key (isp_id, id)
);
create index hotspot_access_at on hotspot_access (isp_id, at, id);

-- Lists of payments by time.
create index payment_listed on payment (isp_id, created_at, id);
