-- Where customers live, who sells what to them, what one subscriber pays and may use, subscribers' own tokens.

-- Each level has ids of its own; a place lies in the one above it.
create table location (
    isp_id bigint not null,
    level text not null,
    id bigint not null,
    parent_id bigint,
    name text not null,
    created_at bigint not null,
    primary key (isp_id, level, id)
);
create index location_parent on location (isp_id, level, parent_id, id);

create table department (
    isp_id bigint not null,
    id bigint not null,
    name text not null,
    created_at bigint not null,
    primary key (isp_id, id)
);

-- What a salesperson may sell.
create table staff_plan (
    isp_id bigint not null,
    staff_id bigint not null,
    plan_id bigint not null,
    created_at bigint not null,
    primary key (isp_id, staff_id, plan_id)
);

-- What one subscriber has besides the plan: a discount on every sale, quotas in the place of the plan's.
create table service_terms (
    isp_id bigint not null,
    service_id bigint not null,
    discount_fixed bigint,
    discount_ppm bigint,
    quota_bytes bigint,
    quota_time_s bigint,
    updated_at bigint not null,
    primary key (isp_id, service_id)
);

-- What the technician wrote down of the line's end.
create table service_site (
    isp_id bigint not null,
    service_id bigint not null,
    onu_note text,
    box_number text,
    box_address text,
    switch_board text,
    switch_port text,
    electric_socket text,
    cable_type text,
    uplink_port text,
    fiber_code text,
    fiber_color text,
    updated_at bigint not null,
    primary key (isp_id, service_id)
);

-- A subscriber's token for the portal; one is found by its name whichever tenant's it is.
alter table token add column customer_id bigint;
create index token_customer on token (isp_id, customer_id) where customer_id is not null;
create index customer_login on customer (username_key) where username_key is not null;

-- Those who wait for money to be renewed.
create index service_renewal on service (isp_id, expires_at) where auto_renew and deleted_at is null;
-- What holds up an activation.
create index invoice_due on invoice (isp_id, customer_id, issued_at) where paid < total;
