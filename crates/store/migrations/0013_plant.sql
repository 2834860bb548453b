-- The plant: OLTs, ONUs, devices, what is checked, who touched what, and the VPN that reaches it all.
-- A live row's key columns (`…_key`) are null once it is deleted, which frees the name.

create table olt (
    isp_id bigint not null,
    id bigint not null,
    name text not null,
    name_key text,
    vendor text not null,
    address text not null,
    snmp_version text not null,
    snmp_port bigint not null,
    snmp_community blob,
    pon_ports bigint not null,
    status text not null,
    status_since bigint not null,
    last_seen_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create unique index olt_name on olt (isp_id, name_key);

-- Light is in hundredths of a dBm; `line` is the ONU's number on its port.
create table onu (
    isp_id bigint not null,
    id bigint not null,
    olt_id bigint not null,
    name text not null,
    serial_number text,
    serial_key text,
    mac text,
    mac_key text,
    pon_port bigint not null,
    line bigint not null,
    line_key bigint,
    customer_id bigint,
    service_id bigint,
    status text not null,
    status_since bigint not null,
    rx_power bigint,
    tx_power bigint,
    distance_m bigint,
    last_seen_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create unique index onu_serial on onu (isp_id, serial_key);
create unique index onu_mac on onu (isp_id, mac_key);
create unique index onu_line on onu (isp_id, olt_id, pon_port, line_key);
create index onu_live on onu (isp_id, id) where deleted_at is null;
create index onu_olt on onu (isp_id, olt_id, id) where deleted_at is null;
create index onu_status on onu (isp_id, status, id) where deleted_at is null;
create index onu_customer on onu (isp_id, customer_id) where deleted_at is null;

-- `external_id` is the device's id where another system (Zabbix) knows it.
create table device (
    isp_id bigint not null,
    id bigint not null,
    name text not null,
    name_key text,
    kind text not null,
    address text not null,
    mac text,
    model text,
    status text not null,
    status_since bigint not null,
    last_seen_at bigint,
    source text not null,
    external_id text,
    external_key text,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create unique index device_name on device (isp_id, name_key);
create unique index device_external on device (isp_id, source, external_key);
create index device_kind on device (isp_id, kind, id) where deleted_at is null;

-- What is the matter with a device, as its monitoring says; over once `ended_at` is set.
create table device_problem (
    isp_id bigint not null,
    id bigint not null,
    device_id bigint not null,
    external_id text not null,
    severity text not null,
    text text not null,
    began_at bigint not null,
    ended_at bigint,
    primary key (isp_id, id)
);
create unique index device_problem_external on device_problem (isp_id, external_id);
create index device_problem_device on device_problem (isp_id, device_id) where ended_at is null;
create index device_problem_open on device_problem (isp_id, began_at, id) where ended_at is null;

create table status_check (
    isp_id bigint not null,
    id bigint not null,
    name text not null,
    name_key text,
    kind text not null,
    target text not null,
    interval_s bigint not null,
    status text not null,
    status_since bigint not null,
    last_checked_at bigint,
    latency_ms bigint,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create unique index status_check_name on status_check (isp_id, name_key);

-- Who opened or changed which equipment, and who took which VPN configuration.
create table access_log (
    isp_id bigint not null,
    id bigint not null,
    at bigint not null,
    actor text not null,
    action text not null,
    noun text not null,
    subject_id bigint not null,
    name text not null,
    primary key (isp_id, id)
);
create index access_log_at on access_log (isp_id, at, id);
create index access_log_subject on access_log (isp_id, noun, subject_id, at);

-- When a router last reported, to the minute.
create table router_heard (
    isp_id bigint not null,
    router_id bigint not null,
    heard_at bigint not null,
    primary key (isp_id, router_id)
);

-- One Isp's VPN server: what its clients are told, and the keys it proves itself with (sealed where private).
create table vpn_server (
    isp_id bigint not null primary key,
    endpoint text,
    dns text,
    routes text,
    wireguard_port bigint not null,
    wireguard_network text not null,
    wireguard_public text not null,
    wireguard_private blob not null,
    openvpn_port bigint not null,
    openvpn_protocol text not null,
    openvpn_network text not null,
    ca_certificate text not null,
    ca_key blob not null,
    server_certificate text not null,
    server_key blob not null,
    tls_crypt blob not null,
    created_at bigint not null,
    updated_at bigint not null
);

-- `host` counts addresses from the network's first; 1 is the server's own.
create table vpn_account (
    isp_id bigint not null,
    id bigint not null,
    protocol text not null,
    name text not null,
    username text not null,
    username_key text,
    host bigint not null,
    host_key bigint,
    enabled bool not null,
    public_key text,
    private_key blob not null,
    preshared_key blob,
    certificate text,
    certificate_ends_at bigint,
    last_download_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create unique index vpn_account_username on vpn_account (isp_id, username_key);
create unique index vpn_account_host on vpn_account (isp_id, protocol, host_key);

-- Logs by time and by name. A session whose line is known is found by the line.
create index session_started on session (isp_id, started_at, id);
create index session_stray on session (isp_id, username_key, started_at) where service_id is null;
create index login_reject_name on login_reject (isp_id, username, at);
create index login_reject_router on login_reject (isp_id, router_id, at);
create index hotspot_access_name on hotspot_access (isp_id, username, at);
create index event_network on event (isp_id, at, seq) where kind in
    ('router.created', 'router.updated', 'router.deleted', 'session.lost', 'coa.acknowledged', 'coa.refused', 'coa.unanswered');
create index event_stopped on event (isp_id, at, seq) where kind in ('service.expired', 'service.quota_used_up');

-- The dashboards' sums.
create index usage_of_day on usage_day (isp_id, day);
create index invoice_issued on invoice (isp_id, issued_at, total);
create index invoice_open on invoice (isp_id, due_at) where status in ('unpaid', 'partial');
create index payment_sums on payment (isp_id, state, created_at, amount);
create index message_sent on message (isp_id, channel, sent_at) where sent_at is not null;
