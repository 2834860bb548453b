-- Accounts, places, field collection, moves between plans, a customer's requests to be visited.

-- What a vendor's clients call the Isp (branch 0) and its branches.
create table zone (
    isp_id bigint not null,
    branch_id bigint not null,
    account text not null,
    account_key text not null,
    created_at bigint not null,
    primary key (isp_id, branch_id)
);
create unique index zone_account on zone (isp_id, account_key);

-- Where collectors go. A customer's `building_id` names a building.
create table collection_area (
    isp_id bigint not null,
    id bigint not null,
    branch_id bigint,
    name text not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (isp_id, id)
);
create table collection_street (
    isp_id bigint not null,
    id bigint not null,
    area_id bigint not null,
    name text not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (isp_id, id)
);
create index collection_street_area on collection_street (isp_id, area_id, id);
create table building (
    isp_id bigint not null,
    id bigint not null,
    street_id bigint not null,
    name text not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (isp_id, id)
);
create index building_street on building (isp_id, street_id, id);

-- Which collector visits whom.
create table collection_assignment (
    isp_id bigint not null,
    customer_id bigint not null,
    staff_id bigint not null,
    actor text not null,
    assigned_at bigint not null,
    primary key (isp_id, customer_id)
);
create index collection_assignment_staff on collection_assignment (isp_id, staff_id, customer_id);

-- A visit: what was found and what was taken. Money waits for approval before it is a payment. Of a card's number only
-- the end is kept.
create table collection (
    isp_id bigint not null,
    id bigint not null,
    customer_id bigint not null,
    staff_id bigint,
    outcome text not null,
    amount bigint not null,
    method text,
    bank text,
    cheque_number text,
    cheque_date text,
    card_hint text,
    card_expiration text,
    notes text,
    state text not null,
    payment_id bigint,
    actor text not null,
    created_at bigint not null,
    decided_by text,
    decided_at bigint,
    primary key (isp_id, id)
);
create index collection_waiting on collection (isp_id, created_at, id) where state = 'pending';
create index collection_customer on collection (isp_id, customer_id, id);

-- A customer asks to be visited, with change for a banknote.
create table collection_request (
    isp_id bigint not null,
    id bigint not null,
    customer_id bigint not null,
    change_for text not null,
    actor text not null,
    created_at bigint not null,
    done_at bigint,
    primary key (isp_id, id)
);
create index collection_request_open on collection_request (isp_id, customer_id) where done_at is null;

-- Moves of a line to another plan, done or yet to be done. Ids are drawn with those of periods, beside which they are
-- listed.
create table plan_move (
    isp_id bigint not null,
    id bigint not null,
    service_id bigint not null,
    customer_id bigint not null,
    from_plan bigint not null,
    to_plan bigint not null,
    kind text not null,
    clear_usage bool not null,
    clear_policies bool not null,
    move_billing bool not null,
    state text not null,
    run_at bigint not null,
    credit bigint not null,
    charge bigint not null,
    outcome text,
    actor text not null,
    created_at bigint not null,
    done_at bigint,
    primary key (isp_id, id)
);
create index plan_move_service on plan_move (isp_id, service_id, id);
create index plan_move_due on plan_move (run_at) where state = 'waiting';
create index plan_move_listed on plan_move (isp_id, done_at, id) where state = 'done';

-- Which of a line's attributes an override has put there, before its limit (stage 1) or beyond it (stage 2).
create table override_attribute (
    isp_id bigint not null,
    id bigint not null,
    service_id bigint not null,
    stage bigint not null,
    attribute text not null,
    op text not null,
    value text not null,
    live_id bigint,
    primary key (isp_id, id)
);
create index override_attribute_service on override_attribute (isp_id, service_id, stage);

-- Changed since when; renewals by time.
create index customer_modified on customer (isp_id, updated_at, id);
create index service_modified on service (isp_id, updated_at, customer_id);
create index period_listed on period (isp_id, created_at, id);
