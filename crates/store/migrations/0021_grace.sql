-- Days of grace: who gave a line how long beyond what was paid.

create table grace (
    isp_id bigint not null,
    id bigint not null,
    service_id bigint not null,
    customer_id bigint not null,
    days bigint not null,
    from_at bigint not null,
    until_at bigint not null,
    actor text not null,
    created_at bigint not null,
    primary key (isp_id, id)
);
create index grace_service on grace (isp_id, service_id, id);
