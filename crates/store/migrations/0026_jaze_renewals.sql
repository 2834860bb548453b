-- Renewals that wait for their time; how payments came; lines that start later, cost something of their own, or have
-- more than one device.

create table renewal_order (
    isp_id bigint not null,
    id bigint not null,
    service_id bigint not null,
    customer_id bigint not null,
    -- In whose name it is sold.
    branch_id bigint,
    -- Null: the plan that the line has then.
    plan_id bigint,
    begins text not null,
    lasts text not null,
    lasts_count bigint not null,
    times bigint not null,
    credit_rest bool not null,
    only_paid bool not null,
    -- Null: from the customer's wallet.
    method text,
    details text,
    state text not null,
    run_at bigint not null,
    outcome text,
    actor text not null,
    created_at bigint not null,
    done_at bigint,
    primary key (isp_id, id)
);
create index renewal_order_service on renewal_order (isp_id, service_id, id);
create index renewal_order_due on renewal_order (run_at) where state = 'waiting';

-- What is known of a payment besides method and reference. Of a card's number only the end is kept. A payment's
-- `created_at` is the day it is of; when it was written down stands here and in the ledger.
create table payment_detail (
    isp_id bigint not null,
    payment_id bigint not null,
    recorded_at bigint not null,
    paid_on text,
    bank text,
    cheque_number text,
    cheque_date text,
    card_hint text,
    card_expiration text,
    transfer_method text,
    gateway_operator text,
    notes text,
    primary key (isp_id, payment_id)
);

-- Lines that begin later: pending until then.
create table service_start (
    isp_id bigint not null,
    service_id bigint not null,
    start_at bigint not null,
    -- What it becomes.
    status text not null,
    primary key (isp_id, service_id)
);
create index service_start_due on service_start (start_at);

-- What a line costs instead of its plan's price, while it is on `plan_id`: a price of its own, or that of another plan's
-- version, whose tax and validity count with it.
create table service_price (
    isp_id bigint not null,
    service_id bigint not null,
    plan_id bigint not null,
    price bigint,
    tax_inclusive bool,
    billed_plan bigint,
    billed_version bigint,
    updated_at bigint not null,
    primary key (isp_id, service_id)
);

-- A line's devices and addresses beside the first, which stand with the line itself; counted from 1.
create table service_binding (
    isp_id bigint not null,
    service_id bigint not null,
    ordinal bigint not null,
    address text,
    mac text,
    primary key (isp_id, service_id, ordinal)
);
