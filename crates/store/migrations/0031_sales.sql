-- An order for the end of a period waits for the end as it will then be. Those that wait already keep the moment that they
-- were told.
alter table renewal_order add column at_end bool not null default false;

-- What a line had used of a day before its period began on that day: the usage that is shown counts without it.
create table usage_before (
    isp_id bigint not null,
    service_id bigint not null,
    day bigint not null,
    up bigint not null,
    down bigint not null,
    primary key (isp_id, service_id)
);
create index voucher_plan on voucher (isp_id, plan_id) where deleted_at is null;
