-- Lists in every order behind every filter. A filter that leaves few rows has them read from its own index and put in
-- order, so its index holds what every order needs; so do a search's words. The entries stand in the usual order:
-- new customers go to the end, and a wider row there costs far less than an index more for each filter and order.

drop index roster_kind;
drop index roster_router;
drop index roster_standing;
create index roster_kind on roster
    (isp_id, kind, created_at, customer_id, router_id, standing, branch_id, expires_at, login, name);
create index roster_router on roster
    (isp_id, router_id, created_at, customer_id, kind, standing, branch_id, expires_at, login, name);
create index roster_standing on roster
    (isp_id, standing, created_at, customer_id, kind, router_id, branch_id, login, name);

alter table search_word rename to search_word_before;
-- only: sqlite
create table search_word (
    isp_id bigint not null,
    word text not null,
    shared bigint not null,
    customer_id bigint not null,
    created_at bigint not null,
    kind bigint not null,
    router_id bigint not null,
    branch_id bigint not null,
    login text not null,
    name text not null,
    primary key (isp_id, word, shared, customer_id)
) without rowid;
-- only: postgres
create table search_word (
    isp_id bigint not null,
    word text collate "C" not null,
    shared bigint not null,
    customer_id bigint not null,
    created_at bigint not null,
    kind bigint not null,
    router_id bigint not null,
    branch_id bigint not null,
    login text collate "C" not null,
    name text collate "C" not null,
    primary key (isp_id, word, shared, customer_id) include (created_at, kind, router_id, branch_id, login, name)
);

-- In the order of the key: each row goes to the end.
insert into search_word
    (isp_id, word, shared, customer_id, created_at, kind, router_id, branch_id, login, name)
select w.isp_id, w.word, w.shared, w.customer_id, w.created_at, w.kind, w.router_id, w.branch_id, t.login, t.name
from search_word_before w join roster t on t.isp_id = w.isp_id and t.customer_id = w.customer_id
order by w.isp_id, w.word, w.shared, w.customer_id;
drop table search_word_before;
