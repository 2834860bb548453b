-- What version 2 lists beside the vendor's document: sessions, postings, events, jobs, API clients.

create index session_listed on session (isp_id, started_at, id);
create index session_online on session (isp_id, started_at, id) where state = 0;
create index session_customer on session (isp_id, customer_id, started_at, id);
create index session_username on session (isp_id, username_key, started_at, id);
create index session_router on session (isp_id, router_id, started_at, id);

create index ledger_entry_at on ledger_entry (isp_id, at, id);

create index event_kind on event (isp_id, kind, seq);

-- A job that ended without having done its work.
alter table job add column failed bool not null default false;
create index job_queue on job (isp_id, queue, id);
create index job_waiting on job (isp_id, id) where done_at is null;
create index job_failed on job (isp_id, id) where failed;

alter table api_client add column updated_at bigint;
