-- Lists of customers. One narrow row for each live customer with the facts of its primary line, so that every
-- documented filter and order is an index's own order and a page far behind costs a walk through one index.
-- `store::roster` writes it in the transaction that changes the facts, and it alone. Names are lower-cased; 0 is none.
-- Its rows are too long to be kept in a key's order on SQLite: a look at one would pass through twice as many pages.

-- only: sqlite
create table roster (
    isp_id bigint not null,
    customer_id bigint not null,
    branch_id bigint not null,
    building_id bigint not null,
    router_id bigint not null,
    kind bigint not null,
    standing bigint not null,
    login text not null,
    name text not null,
    created_at bigint not null,
    expires_at bigint not null,
    words text not null,
    primary key (isp_id, customer_id)
);
-- only: postgres
create table roster (
    isp_id bigint not null,
    customer_id bigint not null,
    branch_id bigint not null,
    building_id bigint not null,
    router_id bigint not null,
    kind bigint not null,
    standing bigint not null,
    login text collate "C" not null,
    name text collate "C" not null,
    created_at bigint not null,
    expires_at bigint not null,
    words text collate "C" not null,
    primary key (isp_id, customer_id)
);

-- The usual order behind each filter; the others once, with every filter in the index's last columns. More of them
-- would make each new customer dearer than lists need: names come in no order, so each index costs a page a customer.
create index roster_created on roster (isp_id, created_at, customer_id, kind, router_id, standing, branch_id);
create index roster_kind on roster (isp_id, kind, created_at, customer_id, router_id, standing, branch_id);
create index roster_router on roster (isp_id, router_id, created_at, customer_id, kind, standing, branch_id);
create index roster_standing on roster (isp_id, standing, created_at, customer_id, kind, router_id, branch_id);
create index roster_login on roster (isp_id, login, customer_id, kind, router_id, standing, branch_id);
create index roster_name on roster (isp_id, name, customer_id, kind, router_id, standing, branch_id);
create index roster_expires on roster (isp_id, expires_at, customer_id, kind, router_id, standing, branch_id);
create index roster_due on roster (isp_id, standing, expires_at, customer_id, kind, router_id, branch_id);
create index roster_building on roster (isp_id, building_id, created_at, customer_id) where building_id <> 0;

-- How many rows of `roster` there are of each sort, in `shard`s so that writers on several nodes seldom want one row.
create table roster_count (
    isp_id bigint not null,
    router_id bigint not null,
    kind bigint not null,
    standing bigint not null,
    branch_id bigint not null,
    shard bigint not null,
    customers bigint not null,
    primary key (isp_id, router_id, kind, standing, branch_id, shard)
);

-- What a search finds a customer by: its name, numbers and addresses from the beginning of each word to the end.
-- `shared` is how many bytes a word has in common with the customer's word before it, in their order: of all words
-- that begin with p, exactly one of each customer shares less than p's length, so nobody is counted twice. Behind it
-- stands what the usual order and the filters that seldom change need, so that such a search reads nothing else.
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
    primary key (isp_id, word, shared, customer_id) include (created_at, kind, router_id, branch_id)
);
