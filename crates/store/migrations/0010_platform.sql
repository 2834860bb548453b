-- The API platform: people's and machines' tokens, secrets that overlap while they are rotated, what was asked.

alter table staff add column phone text;
alter table staff add column updated_at bigint;
alter table staff add column last_login_at bigint;
create index staff_by_email on staff (email_key);

-- `public_id` names a client that proves itself with a secret (OAuth 2.0 client credentials); `scopes` are words with
-- spaces between them, null for everything.
alter table api_client add column public_id text;
alter table api_client add column scopes text;
create unique index api_client_public_id on api_client (public_id);

-- A client's secrets; an older one is good until `expires_at`, so that both sides can be changed one after the other.
create table client_secret (
    isp_id bigint not null,
    id bigint not null,
    client_id bigint not null,
    secret_hash text not null,
    secret_hint text not null,
    created_at bigint not null,
    expires_at bigint,
    primary key (isp_id, id)
);
create index client_secret_client on client_secret (isp_id, client_id);

-- Opaque random texts, stored hashed. A refresh token is good once; `family` holds all that came from one login.
create table token (
    isp_id bigint not null,
    id bigint not null,
    hash text not null,
    issuer text not null,
    kind text not null,
    family bigint not null,
    client_id bigint,
    staff_id bigint,
    created_at bigint not null,
    expires_at bigint not null,
    used_at bigint,
    revoked_at bigint,
    primary key (isp_id, id)
);
create unique index token_hash on token (hash);
create index token_family on token (isp_id, family);
create index token_client on token (isp_id, client_id) where client_id is not null;
create index token_staff on token (isp_id, staff_id) where staff_id is not null;
create index token_ends on token (expires_at);

-- Who asked what over HTTP, and how it was answered.
create table api_request (
    isp_id bigint not null,
    id bigint not null,
    at bigint not null,
    dialect text not null,
    client_id bigint,
    staff_id bigint,
    method text not null,
    path text not null,
    route text not null,
    status bigint not null,
    ms bigint not null,
    request_id text not null,
    source text,
    primary key (isp_id, id)
);
create index api_request_at on api_request (isp_id, at, id);
create index api_request_client on api_request (isp_id, client_id, at);
