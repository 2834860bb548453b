-- The core nouns. isp_id leads every key; instants are microseconds UTC, money is minor units, addresses are text.
-- Ids come from `counter`, reserved in blocks (isp_id 0), and are unique over all tenants.

create table counter (
    isp_id bigint not null,
    name text not null,
    next bigint not null,
    primary key (isp_id, name)
);

create table isp (
    isp_id bigint not null primary key,
    name text not null,
    currency text not null,
    time_zone text not null,
    locale text not null,
    username_prefix text not null,
    tax_ppm bigint not null,
    tax_inclusive bool not null,
    created_at bigint not null
);

create table branch (
    isp_id bigint not null,
    id bigint not null,
    parent_id bigint,
    name text not null,
    created_at bigint not null,
    primary key (isp_id, id)
);

create table staff (
    isp_id bigint not null,
    id bigint not null,
    branch_id bigint,
    parent_id bigint,
    name text not null,
    email text not null,
    email_key text not null,
    password_hash text not null,
    role text not null,
    status text not null,
    created_at bigint not null,
    primary key (isp_id, id)
);
create unique index staff_email on staff (isp_id, email_key);

-- The hash is of 256 random bits, so it is unique over all tenants by itself; it is how the tenant is found.
create table api_client (
    isp_id bigint not null,
    id bigint not null,
    branch_id bigint,
    staff_id bigint,
    dialect text not null,
    name text not null,
    key_hash text not null,
    key_hint text not null,
    tier text not null,
    sandbox bool not null,
    status text not null,
    created_at bigint not null,
    last_used_at bigint,
    primary key (isp_id, id)
);
create unique index api_client_key on api_client (key_hash);

create table bandwidth (
    isp_id bigint not null,
    id bigint not null,
    name text not null,
    name_key text,
    down_kbps bigint not null,
    up_kbps bigint not null,
    down_unit text not null,
    up_unit text not null,
    burst_down_kbps bigint,
    burst_up_kbps bigint,
    burst_threshold_down_kbps bigint,
    burst_threshold_up_kbps bigint,
    burst_time_s bigint,
    priority bigint,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create unique index bandwidth_name on bandwidth (isp_id, name_key);

create table pool (
    isp_id bigint not null,
    id bigint not null,
    router_id bigint,
    name text not null,
    name_key text,
    ranges text not null,
    allocate text not null,
    created_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create unique index pool_name on pool (isp_id, name_key);

create table router (
    isp_id bigint not null,
    id bigint not null,
    branch_id bigint,
    name text not null,
    name_key text,
    vendor text not null,
    network text not null,
    nas_identifier text,
    secret blob not null,
    coa_port bigint not null,
    ma_policy text not null,
    ma_seen bool not null,
    api_address text,
    api_user text,
    api_secret blob,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create unique index router_name on router (isp_id, name_key);

create table plan (
    isp_id bigint not null,
    id bigint not null,
    name text not null,
    name_key text,
    kind text not null,
    version bigint not null,
    bandwidth_id bigint not null,
    pool_id bigint,
    router_id bigint,
    shared_users bigint not null,
    mac_lock bool not null,
    address_list text,
    expiry_action text not null,
    expired_pool_id bigint,
    expired_address_list text,
    expired_bandwidth_id bigint,
    fallback_plan_id bigint,
    interim_s bigint not null,
    idle_timeout_s bigint,
    session_timeout_s bigint,
    enabled bool not null,
    public bool not null,
    fup bool not null,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create unique index plan_name on plan (isp_id, name_key);

-- What a sold period keeps. The units are kept as they were written, for those who wrote them.
create table plan_version (
    isp_id bigint not null,
    plan_id bigint not null,
    version bigint not null,
    price bigint not null,
    tax_ppm bigint not null,
    tax_inclusive bool not null,
    validity bigint not null,
    validity_unit text not null,
    period_day bigint,
    limited bool not null,
    limit_type text,
    time_limit bigint,
    time_unit text,
    data_limit bigint,
    data_unit text,
    created_at bigint not null,
    primary key (isp_id, plan_id, version)
);

create table customer (
    isp_id bigint not null,
    id bigint not null,
    branch_id bigint,
    username text not null,
    username_key text,
    portal_secret blob,
    portal_hash text,
    full_name text not null,
    phone text not null,
    email text,
    address text,
    building_id bigint,
    notes text,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create unique index customer_username on customer (isp_id, username_key);
create index customer_created on customer (isp_id, created_at, id) where deleted_at is null;
create index customer_phone on customer (isp_id, phone);

create table service (
    isp_id bigint not null,
    id bigint not null,
    customer_id bigint not null,
    ordinal bigint not null,
    kind text not null,
    status text not null,
    status_reason text,
    status_since bigint not null,
    username text not null,
    username_key text,
    secret blob,
    plan_id bigint not null,
    plan_version bigint not null,
    router_id bigint not null,
    bound_to_router bool not null,
    address text,
    address6 text,
    mac_lock text not null,
    mac text,
    bandwidth_id bigint,
    shared_users bigint,
    period_ordinal bigint not null,
    period_started_at bigint,
    expires_at bigint,
    expired_event_at bigint,
    anchor_day bigint,
    quota_time_s bigint,
    quota_bytes bigint,
    used_time_s bigint not null,
    used_bytes bigint not null,
    quota_event_ordinal bigint,
    auto_renew bool not null,
    first_used_at bigint,
    last_login_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create unique index service_username on service (isp_id, username_key);
create unique index service_ordinal on service (isp_id, customer_id, ordinal);
create index service_plan on service (isp_id, plan_id) where deleted_at is null;
create index service_router on service (isp_id, router_id) where deleted_at is null;
-- The expiry job asks for those past their time whose expiry has not been acted on.
create index service_due on service (expires_at) where deleted_at is null and expired_event_at is null;

create table service_attribute (
    isp_id bigint not null,
    id bigint not null,
    service_id bigint not null,
    attribute text not null,
    op text not null,
    value text not null,
    created_at bigint not null,
    primary key (isp_id, id)
);
create index service_attribute_service on service_attribute (isp_id, service_id);

create table period (
    isp_id bigint not null,
    id bigint not null,
    service_id bigint not null,
    ordinal bigint not null,
    customer_id bigint not null,
    plan_id bigint not null,
    plan_version bigint not null,
    starts_at bigint not null,
    ends_at bigint not null,
    price bigint not null,
    reason text not null,
    invoice_id bigint,
    created_at bigint not null,
    primary key (isp_id, id)
);
-- A period is sold, and so billed, once.
create unique index period_ordinal on period (isp_id, service_id, ordinal);

create table account (
    isp_id bigint not null,
    code text not null,
    balance bigint not null,
    primary key (isp_id, code)
);

create table ledger_entry (
    isp_id bigint not null,
    id bigint not null,
    at bigint not null,
    kind text not null,
    ref text,
    reason text,
    actor text not null,
    primary key (isp_id, id)
);

-- Debits are positive, credits negative; the lines of an entry add up to zero.
create table posting (
    isp_id bigint not null,
    entry_id bigint not null,
    line bigint not null,
    account text not null,
    amount bigint not null,
    primary key (isp_id, entry_id, line)
);
create index posting_account on posting (isp_id, account, entry_id);

create table invoice (
    isp_id bigint not null,
    id bigint not null,
    series text not null,
    number bigint not null,
    customer_id bigint not null,
    service_id bigint,
    net bigint not null,
    tax bigint not null,
    total bigint not null,
    paid bigint not null,
    status text not null,
    issued_at bigint not null,
    due_at bigint not null,
    primary key (isp_id, id)
);
create unique index invoice_number on invoice (isp_id, series, number);
create index invoice_customer on invoice (isp_id, customer_id, issued_at);

create table invoice_line (
    isp_id bigint not null,
    invoice_id bigint not null,
    line bigint not null,
    text text not null,
    amount bigint not null,
    tax_ppm bigint not null,
    tax_inclusive bool not null,
    period_id bigint,
    primary key (isp_id, invoice_id, line)
);

create table payment (
    isp_id bigint not null,
    id bigint not null,
    customer_id bigint not null,
    kind text not null,
    amount bigint not null,
    method text not null,
    reference text not null,
    state text not null,
    plan_id bigint,
    plan_name text,
    invoice_id bigint,
    created_at bigint not null,
    primary key (isp_id, id)
);
-- A provider's reference pays once.
create unique index payment_reference on payment (isp_id, method, reference);
create index payment_customer on payment (isp_id, customer_id, created_at);
create index payment_created on payment (isp_id, created_at);

create table session (
    isp_id bigint not null,
    id bigint not null,
    router_id bigint not null,
    acct_session_id text not null,
    username_key text not null,
    nas_port bigint not null,
    generation bigint not null,
    username text not null,
    service_id bigint,
    customer_id bigint,
    state bigint not null,
    end_cause text,
    started_at bigint not null,
    reported_at bigint not null,
    received_at bigint not null,
    ended_at bigint,
    session_time_s bigint not null,
    up_shown bigint not null,
    up_total bigint not null,
    down_shown bigint not null,
    down_total bigint not null,
    gigawords bool not null,
    mac text,
    address text,
    source text not null,
    interval_s bigint,
    restricted bool not null,
    primary key (isp_id, id)
);
create unique index session_key on session (isp_id, router_id, acct_session_id, username_key, nas_port, generation);
create index session_service on session (isp_id, service_id, started_at);
create index session_open on session (isp_id, router_id) where state = 0;

-- `day` counts civil days of the Isp's zone since 1970-01-01.
create table usage_day (
    isp_id bigint not null,
    service_id bigint not null,
    day bigint not null,
    up bigint not null,
    down bigint not null,
    seconds bigint not null,
    primary key (isp_id, service_id, day)
);

create table login_reject (
    isp_id bigint not null,
    id bigint not null,
    at bigint not null,
    router_id bigint not null,
    service_id bigint,
    username text not null,
    mac text,
    reason text not null,
    primary key (isp_id, id)
);
create index login_reject_at on login_reject (isp_id, at);
create index login_reject_service on login_reject (isp_id, service_id, at);

create table event (
    isp_id bigint not null,
    seq bigint not null,
    at bigint not null,
    kind text not null,
    version bigint not null,
    subject text not null,
    subject_id bigint not null,
    actor text not null,
    body text not null,
    primary key (isp_id, seq)
);
create index event_subject on event (isp_id, subject, subject_id, seq);

create table job (
    isp_id bigint not null,
    id bigint not null,
    queue text not null,
    kind text not null,
    version bigint not null,
    payload text not null,
    run_at bigint not null,
    attempts bigint not null,
    lease_owner text,
    lease_until bigint,
    unique_key text,
    created_at bigint not null,
    done_at bigint,
    outcome text,
    primary key (isp_id, id)
);
create index job_due on job (queue, run_at) where done_at is null;
create unique index job_unique on job (isp_id, unique_key);

create table schedule (
    name text not null primary key,
    next_at bigint not null,
    lease_owner text,
    lease_until bigint
);

-- The first answer to a caller's key, given again to its repeats.
create table idempotency (
    isp_id bigint not null,
    scope text not null,
    caller_key text not null,
    request_hash text not null,
    answer text not null,
    created_at bigint not null,
    primary key (isp_id, scope, caller_key)
);
create index idempotency_age on idempotency (created_at);
