-- What version 2 manages has a time of change, which is its tag; `null`: not since it was made.
alter table branch add column updated_at bigint;
alter table location add column updated_at bigint;
alter table department add column updated_at bigint;
create index branch_parent on branch (isp_id, parent_id) where parent_id is not null;
create index router_branch on router (isp_id, branch_id) where branch_id is not null;
create index collection_area_branch on collection_area (isp_id, branch_id) where branch_id is not null;
