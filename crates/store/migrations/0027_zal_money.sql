-- Packages changed in the middle of what was paid for; who may renew by itself; what Zal's lists are asked by.

-- What the sale of a period and a payment have moved, and who made them, found by period and payment.
create index ledger_entry_sale on ledger_entry (isp_id, ref) where kind in ('recharge', 'activation', 'migration', 'payment');

-- A period sold as a part of a package's validity: how many seconds of it. Other periods stand for their own length.
create table period_part (
    isp_id bigint not null,
    period_id bigint not null,
    sold_s bigint not null,
    primary key (isp_id, period_id)
);

-- A line renews itself where its own flag, its package's and its salesperson's say so.
alter table plan add column auto_renew bool not null default true;
alter table staff add column auto_renew bool not null default true;

-- Lists of invoices by package, and what was credited since a day.
create index period_plan on period (isp_id, plan_id, invoice_id) where invoice_id is not null;
create index credit_note_issued on credit_note (isp_id, issued_at);
