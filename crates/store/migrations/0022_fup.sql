-- Fair use. A template is what is attached to plans by reference; one with a service is that service's own.

create table fup_template (
    isp_id bigint not null,
    id bigint not null,
    name text not null,
    name_key text,
    service_id bigint,
    measure text not null,
    reset text not null,
    reset_day bigint,
    carry_forward bool not null,
    -- When the hour of the day next changes the rate, and the network must follow.
    turns_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    deleted_at bigint,
    primary key (isp_id, id)
);
create unique index fup_template_name on fup_template (isp_id, name_key);
create index fup_template_turns on fup_template (turns_at) where deleted_at is null and turns_at is not null;

create table fup_tier (
    isp_id bigint not null,
    template_id bigint not null,
    after_bytes bigint not null,
    bandwidth_id bigint not null,
    primary key (isp_id, template_id, after_bytes)
);

create table fup_window (
    isp_id bigint not null,
    template_id bigint not null,
    line bigint not null,
    from_minute bigint not null,
    until_minute bigint not null,
    counted bool not null,
    bandwidth_id bigint,
    primary key (isp_id, template_id, line)
);

-- A service that goes by another template than its plan's; without one it has no fair use policy.
create table fup_override (
    isp_id bigint not null,
    service_id bigint not null,
    template_id bigint,
    actor text not null,
    created_at bigint not null,
    primary key (isp_id, service_id)
);
create index fup_override_template on fup_override (isp_id, template_id);

-- What a service has used in its cycle, once it has used something. `level` is how many thresholds have been acted on.
create table fup_usage (
    isp_id bigint not null,
    service_id bigint not null,
    template_id bigint not null,
    starts_at bigint not null,
    ends_at bigint,
    up bigint not null,
    down bigint not null,
    carried bigint not null,
    level bigint not null,
    updated_at bigint not null,
    primary key (isp_id, service_id)
);
create index fup_usage_template on fup_usage (isp_id, template_id);
-- Those whose rate comes back when their cycle ends; the others' cycles begin with their next report.
create index fup_usage_due on fup_usage (ends_at) where level > 0 and ends_at is not null;

alter table plan add column fup_template_id bigint;
alter table plan drop column fup;
create index plan_fup on plan (isp_id, fup_template_id) where fup_template_id is not null;
-- Lines with a rate of their own, to be read again when that rate changes.
create index service_bandwidth on service (isp_id, bandwidth_id) where bandwidth_id is not null;
