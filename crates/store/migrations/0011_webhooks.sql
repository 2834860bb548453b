-- Webhooks and their deliveries, SMS credits, complaints.

-- `events` is a JSON list of names. Events up to `since_seq` were before it was active. `next_at` is when the head of its
-- queue is due, null while nothing waits; a node that sends holds a lease on it, so that deliveries keep their order.
create table webhook (
    isp_id bigint not null,
    id bigint not null,
    branch_id bigint,
    client_id bigint,
    url text not null,
    events text not null,
    active bool not null,
    secret blob not null,
    previous_secret blob,
    previous_until bigint,
    since_seq bigint not null,
    next_at bigint,
    lease_owner text,
    lease_until bigint,
    failing_since bigint,
    last_success_at bigint,
    disabled_at bigint,
    disabled_reason text,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create index webhook_due on webhook (next_at) where next_at is not null;

-- Up to where an Isp's events have become deliveries.
create table webhook_cursor (
    isp_id bigint not null primary key,
    seq bigint not null
);

-- `body` is sent as it is, byte for byte. A webhook's deliveries go out in the order of `position`; `round` counts the
-- attempts since it was queued last, `attempts` all of them.
create table delivery (
    isp_id bigint not null,
    id bigint not null,
    webhook_id bigint not null,
    position bigint not null,
    event_seq bigint,
    event text not null,
    event_id text not null,
    body text not null,
    state text not null,
    attempts bigint not null,
    round bigint not null,
    next_at bigint not null,
    last_at bigint,
    last_status bigint,
    last_error text,
    last_ms bigint,
    created_at bigint not null,
    delivered_at bigint,
    primary key (isp_id, id)
);
create unique index delivery_once on delivery (isp_id, webhook_id, event_seq, event);
create index delivery_queue on delivery (isp_id, webhook_id, position) where state = 'pending';
create index delivery_listed on delivery (isp_id, webhook_id, id);
create index delivery_state on delivery (isp_id, webhook_id, state, id);
create index delivery_age on delivery (created_at) where state <> 'pending';

create table delivery_attempt (
    isp_id bigint not null,
    delivery_id bigint not null,
    attempt bigint not null,
    at bigint not null,
    status bigint,
    error text,
    ms bigint not null,
    answer text,
    primary key (isp_id, delivery_id, attempt)
);

-- SMS credits, and what changed them.
create table sms_account (
    isp_id bigint not null primary key,
    balance bigint not null
);
create table sms_movement (
    isp_id bigint not null,
    id bigint not null,
    at bigint not null,
    delta bigint not null,
    balance bigint not null,
    reason text not null,
    actor text not null,
    primary key (isp_id, id)
);

-- `handle` names a message to API clients; `batch` joins those of one broadcast.
alter table message add column handle text;
alter table message add column batch text;
alter table message add column credits bigint not null default 0;
alter table message add column branch_id bigint;
create unique index message_handle on message (isp_id, handle);
create index message_listed on message (isp_id, channel, created_at, id);
create index message_recipient on message (isp_id, channel, recipient, created_at);
create index message_status on message (isp_id, channel, status, created_at);

create table complaint (
    isp_id bigint not null,
    id bigint not null,
    customer_id bigint not null,
    branch_id bigint,
    subject text not null,
    message text not null,
    category text not null,
    department text not null,
    priority text not null,
    status text not null,
    assigned_to bigint,
    due_at bigint not null,
    opened_by text not null,
    opened_at bigint not null,
    updated_at bigint not null,
    resolved_at bigint,
    closed_at bigint,
    primary key (isp_id, id)
);
create index complaint_listed on complaint (isp_id, opened_at, id);
create index complaint_customer on complaint (isp_id, customer_id, opened_at);
create index complaint_status on complaint (isp_id, status, opened_at);
create index complaint_assigned on complaint (isp_id, assigned_to, opened_at) where assigned_to is not null;

create table complaint_comment (
    isp_id bigint not null,
    id bigint not null,
    complaint_id bigint not null,
    at bigint not null,
    author text not null,
    text text not null,
    primary key (isp_id, id)
);
create index complaint_comment_listed on complaint_comment (isp_id, complaint_id, id);
