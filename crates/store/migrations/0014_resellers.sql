-- Resellers and what they sell with: operators' accounts and prices, recharge cards.

-- An operator is a person of staff with a branch of its own; its wallet is the ledger's account `wallet:staff:‹id›`.
create table operator (
    isp_id bigint not null,
    staff_id bigint not null,
    branch_id bigint not null,
    account_type text not null,
    collection_limit bigint not null,
    primary key (isp_id, staff_id)
);
create unique index operator_branch on operator (isp_id, branch_id);
create index staff_role on staff (isp_id, role, id);
create index staff_parent on staff (isp_id, parent_id) where parent_id is not null;
create index customer_branch on customer (isp_id, branch_id) where branch_id is not null and deleted_at is null;

-- What a plan costs an operator; without a row, what it costs anybody.
create table operator_price (
    isp_id bigint not null,
    staff_id bigint not null,
    plan_id bigint not null,
    price bigint not null,
    updated_at bigint not null,
    primary key (isp_id, staff_id, plan_id)
);

create table card_batch (
    isp_id bigint not null,
    id bigint not null,
    plan_id bigint not null,
    distributor_id bigint,
    value bigint not null,
    commission bigint not null,
    commission_ppm bigint,
    quantity bigint not null,
    expires_at bigint,
    created_at bigint not null,
    primary key (isp_id, id)
);

-- The code is sealed, and hashed to be found by; `hint` is its end. `expired` is computed.
create table recharge_card (
    isp_id bigint not null,
    id bigint not null,
    batch_id bigint not null,
    plan_id bigint not null,
    distributor_id bigint,
    code blob not null,
    code_hash text not null,
    hint text not null,
    value bigint not null,
    commission bigint not null,
    status text not null,
    expires_at bigint,
    created_at bigint not null,
    issued_at bigint,
    used_at bigint,
    customer_id bigint,
    primary key (isp_id, id)
);
create unique index recharge_card_code on recharge_card (isp_id, code_hash);
create index recharge_card_batch on recharge_card (isp_id, batch_id, status, id);
create index recharge_card_distributor on recharge_card (isp_id, distributor_id, id);
create index recharge_card_plan on recharge_card (isp_id, plan_id, id);
create index recharge_card_status on recharge_card (isp_id, status, id);
