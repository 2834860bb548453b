-- Who a customer is beyond name and number: identity, company, place, the person who sold, what to be told and how.

create table customer_profile (
    isp_id bigint not null,
    customer_id bigint not null,
    identity_number text,
    title text,
    first_name text,
    last_name text,
    company text,
    kind text,
    alternative_phone text,
    alternative_email text,
    address_line1 text,
    address_line2 text,
    address_city text,
    address_pin text,
    address_state text,
    latitude text,
    longitude text,
    country_id bigint,
    province_id bigint,
    city_id bigint,
    area_id bigint,
    subarea_id bigint,
    department_id bigint,
    salesperson_id bigint,
    sms_enabled bool not null,
    email_enabled bool not null,
    language text,
    joined_on bigint,
    updated_at bigint not null,
    primary key (isp_id, customer_id)
);
create index customer_profile_identity on customer_profile (isp_id, identity_number) where identity_number is not null;
create index customer_profile_country on customer_profile (isp_id, country_id) where country_id is not null;
create index customer_profile_province on customer_profile (isp_id, province_id) where province_id is not null;
create index customer_profile_city on customer_profile (isp_id, city_id) where city_id is not null;
create index customer_profile_area on customer_profile (isp_id, area_id) where area_id is not null;
create index customer_profile_subarea on customer_profile (isp_id, subarea_id) where subarea_id is not null;
create index customer_profile_department on customer_profile (isp_id, department_id) where department_id is not null;
create index customer_profile_salesperson on customer_profile (isp_id, salesperson_id) where salesperson_id is not null;
