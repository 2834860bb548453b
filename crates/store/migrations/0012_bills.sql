-- Bills: an invoice says what it is for and when it changed, payments are allocated to it, a credit note takes it back.

alter table invoice add column description text;
alter table invoice add column updated_at bigint not null default 0;
update invoice set updated_at = issued_at, description =
    (select l.text from invoice_line l where l.isp_id = invoice.isp_id and l.invoice_id = invoice.id and l.line = 1);

-- Lists leave out what was taken back, so their indexes do too.
create index invoice_listed on invoice (isp_id, issued_at, id) where status <> 'void';
create index invoice_of_customer on invoice (isp_id, customer_id, issued_at, id) where status <> 'void';
create index invoice_standing on invoice (isp_id, status, issued_at, id);

-- How much of which payment settled which invoice. The payment of a period's invoice settles that one, whole.
create table payment_allocation (
    isp_id bigint not null,
    payment_id bigint not null,
    invoice_id bigint not null,
    amount bigint not null,
    primary key (isp_id, payment_id, invoice_id)
);
create index payment_allocation_invoice on payment_allocation (isp_id, invoice_id);
create index payment_method on payment (isp_id, method, created_at, id);
create index payment_of_customer on payment (isp_id, customer_id, created_at, id);

-- Takes an invoice back, whole; numbered without gaps as invoices are.
create table credit_note (
    isp_id bigint not null,
    series text not null,
    number bigint not null,
    invoice_id bigint not null,
    customer_id bigint not null,
    net bigint not null,
    tax bigint not null,
    total bigint not null,
    issued_at bigint not null,
    primary key (isp_id, series, number)
);
create unique index credit_note_invoice on credit_note (isp_id, invoice_id);

-- Where a line comes into the house: what the medium is, and which equipment it hangs on.
create table service_plant (
    isp_id bigint not null,
    service_id bigint not null,
    connection text not null,
    onu_mac text,
    onu_id bigint,
    box_name text,
    switch_port text,
    fibre text,
    updated_at bigint not null,
    primary key (isp_id, service_id)
);
create index service_plant_connection on service_plant (isp_id, connection, service_id);
create index service_plant_onu on service_plant (isp_id, onu_mac);

-- Lists of lines by what they are and when they came.
create index service_listed on service (isp_id, created_at, id) where deleted_at is null;
create index service_standing on service (isp_id, status, created_at, id) where deleted_at is null;
