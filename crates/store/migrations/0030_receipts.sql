-- A provider's receipt pays once, however the provider's name and the receipt are spelt. Receipts that were counted twice
-- before stay as they are: the first one has the key.

alter table payment add column provider text not null default '';
alter table payment add column reference_key text not null default '';
drop index payment_reference;

-- only: sqlite
update payment set
    provider = lower(replace(replace(replace(replace(method, '-', ''), '_', ''), '.', ''), ' ', '')),
    reference_key = upper(trim(reference));
-- only: postgres
update payment set
    provider = lower(replace(replace(replace(replace(method, '-', ''), '_', ''), '.', ''), ' ', '') collate "C"),
    reference_key = upper(trim(reference) collate "C");

-- only: sqlite
update payment set provider = (
    select lower(replace(replace(replace(replace(d.gateway_operator, '-', ''), '_', ''), '.', ''), ' ', ''))
    from payment_detail d where d.isp_id = payment.isp_id and d.payment_id = payment.id)
where exists (select 1 from payment_detail d where d.isp_id = payment.isp_id and d.payment_id = payment.id
    and replace(replace(replace(replace(d.gateway_operator, '-', ''), '_', ''), '.', ''), ' ', '') <> '');
-- only: postgres
update payment set provider = (
    select lower(replace(replace(replace(replace(d.gateway_operator, '-', ''), '_', ''), '.', ''), ' ', '') collate "C")
    from payment_detail d where d.isp_id = payment.isp_id and d.payment_id = payment.id)
where exists (select 1 from payment_detail d where d.isp_id = payment.isp_id and d.payment_id = payment.id
    and replace(replace(replace(replace(d.gateway_operator, '-', ''), '_', ''), '.', ''), ' ', '') <> '');

create index payment_twice on payment (isp_id, provider, reference_key, id);
update payment set reference_key = reference_key || ' #' || cast(id as text)
where exists (select 1 from payment o where o.isp_id = payment.isp_id and o.provider = payment.provider
    and o.reference_key = payment.reference_key and o.id < payment.id);
drop index payment_twice;
create unique index payment_reference on payment (isp_id, provider, reference_key);

-- A payment that paid an invoice is allocated to it, a recharge's as any other.
insert into payment_allocation (isp_id, payment_id, invoice_id, amount)
select p.isp_id, p.id, p.invoice_id, case when p.amount < i.paid then p.amount else i.paid end
from payment p join invoice i on i.isp_id = p.isp_id and i.id = p.invoice_id
where p.kind = 'recharge' and i.paid > 0 and not exists (
    select 1 from payment_allocation a where a.isp_id = p.isp_id and a.payment_id = p.id);

-- What paying an invoice sells: a bill of a package is the price of a period that is not sold yet.
create table invoice_sale (
    isp_id bigint not null,
    invoice_id bigint not null,
    service_id bigint not null,
    plan_id bigint not null,
    period_id bigint,
    primary key (isp_id, invoice_id)
);
create index invoice_sale_line on invoice_sale (isp_id, service_id) where period_id is null;
create index invoice_sale_plan on invoice_sale (isp_id, plan_id) where period_id is null;
