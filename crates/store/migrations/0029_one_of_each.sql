-- One table for where a line ends, one for its own terms, one for the places of customers.

-- How a line comes into the house, and what the technician wrote down of its end. Which ONU of the plant serves it is said
-- by `onu.service_id` alone.
create table line_site (
    isp_id bigint not null,
    service_id bigint not null,
    connection text,
    onu_mac text,
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
insert into line_site (isp_id, service_id, connection, onu_mac, onu_note, box_number, box_address, switch_board, switch_port,
    electric_socket, cable_type, uplink_port, fiber_code, fiber_color, updated_at)
    select p.isp_id, p.service_id, p.connection, p.onu_mac, s.onu_note, coalesce(s.box_number, p.box_name), s.box_address,
        s.switch_board, coalesce(s.switch_port, p.switch_port), s.electric_socket, s.cable_type, s.uplink_port, s.fiber_code,
        coalesce(s.fiber_color, p.fibre), case when s.updated_at > p.updated_at then s.updated_at else p.updated_at end
    from service_plant p left join service_site s on s.isp_id = p.isp_id and s.service_id = p.service_id;
insert into line_site (isp_id, service_id, onu_note, box_number, box_address, switch_board, switch_port, electric_socket,
    cable_type, uplink_port, fiber_code, fiber_color, updated_at)
    select s.isp_id, s.service_id, s.onu_note, s.box_number, s.box_address, s.switch_board, s.switch_port,
        s.electric_socket, s.cable_type, s.uplink_port, s.fiber_code, s.fiber_color, s.updated_at
    from service_site s
    where not exists (select 1 from service_plant p where p.isp_id = s.isp_id and p.service_id = s.service_id);
create index line_site_connection on line_site (isp_id, connection, service_id);
drop table service_plant;
drop table service_site;

-- What one line has besides its plan: a discount and quotas of its own, and, while it is on `priced_plan`, a price of its
-- own or another plan's as it was sold.
create table line_terms (
    isp_id bigint not null,
    service_id bigint not null,
    discount_fixed bigint,
    discount_ppm bigint,
    quota_bytes bigint,
    quota_time_s bigint,
    priced_plan bigint,
    price bigint,
    tax_inclusive bool,
    billed_plan bigint,
    billed_version bigint,
    updated_at bigint not null,
    primary key (isp_id, service_id)
);
insert into line_terms (isp_id, service_id, discount_fixed, discount_ppm, quota_bytes, quota_time_s, priced_plan, price,
    tax_inclusive, billed_plan, billed_version, updated_at)
    select t.isp_id, t.service_id, t.discount_fixed, t.discount_ppm, t.quota_bytes, t.quota_time_s, p.plan_id, p.price,
        p.tax_inclusive, p.billed_plan, p.billed_version,
        case when p.updated_at > t.updated_at then p.updated_at else t.updated_at end
    from service_terms t left join service_price p on p.isp_id = t.isp_id and p.service_id = t.service_id;
insert into line_terms (isp_id, service_id, priced_plan, price, tax_inclusive, billed_plan, billed_version, updated_at)
    select p.isp_id, p.service_id, p.plan_id, p.price, p.tax_inclusive, p.billed_plan, p.billed_version, p.updated_at
    from service_price p
    where not exists (select 1 from service_terms t where t.isp_id = p.isp_id and t.service_id = p.service_id);
drop table service_terms;
drop table service_price;

-- Two trees of places: country, province, city, area, subarea; collection_area, street, building. Ids count within a level.
-- A collection area may be one branch's; what lies in it is its branch's.
create table place (
    isp_id bigint not null,
    level text not null,
    id bigint not null,
    parent_id bigint,
    branch_id bigint,
    name text not null,
    created_at bigint not null,
    updated_at bigint,
    primary key (isp_id, level, id)
);
insert into place (isp_id, level, id, parent_id, name, created_at, updated_at)
    select isp_id, level, id, parent_id, name, created_at, updated_at from location;
insert into place (isp_id, level, id, branch_id, name, created_at, updated_at)
    select isp_id, 'collection_area', id, branch_id, name, created_at, updated_at from collection_area;
insert into place (isp_id, level, id, parent_id, name, created_at, updated_at)
    select isp_id, 'street', id, area_id, name, created_at, updated_at from collection_street;
insert into place (isp_id, level, id, parent_id, name, created_at, updated_at)
    select isp_id, 'building', id, street_id, name, created_at, updated_at from building;
create index place_parent on place (isp_id, level, parent_id, id);
create index place_branch on place (isp_id, branch_id) where branch_id is not null;
drop table location;
drop table collection_area;
drop table collection_street;
drop table building;
