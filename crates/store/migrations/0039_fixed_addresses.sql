-- A fixed address is one line's within its tenant: whoever writes one to a line takes it here, and the key refuses a second
-- taker. Without a key it was another line's too before this was kept, and stays so until one of the two changes.
create table fixed_address (
    isp_id bigint not null,
    service_id bigint not null,
    address text not null,
    address_key text,
    primary key (isp_id, service_id, address)
);
create unique index fixed_address_key on fixed_address (isp_id, address_key);
insert into fixed_address (isp_id, service_id, address, address_key)
    with given as (
        select isp_id, id as service_id, address from service where address is not null and deleted_at is null
        union
        select b.isp_id, b.service_id, b.address
        from service_binding b join service s on s.isp_id = b.isp_id and s.id = b.service_id
        where b.address is not null and s.deleted_at is null
    ),
    counted as (
        select isp_id, service_id, address, row_number() over (partition by isp_id, address order by service_id) as nth
        from given
    )
    select isp_id, service_id, address, case when nth = 1 then address end from counted;
