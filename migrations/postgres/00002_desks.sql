-- +goose Up
create table desks (
  id                     uuid primary key,
  tenant_id              uuid not null unique references tenants,
  token_hash             bytea not null unique,
  token_sealed           bytea not null,
  secret_sealed          bytea,
  previous_secret_sealed bytea,
  previous_secret_until  timestamptz,
  email                  text not null,
  api_key_sealed         bytea,
  api_key_hint           text not null,
  unsigned               text not null,
  handshake_at           timestamptz,
  first_signed_at        timestamptz,
  paused_at              timestamptz,
  problem_at             timestamptz,
  problem_code           text not null
);
alter table desks enable row level security;
alter table desks force row level security;
create policy tenant on desks to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy queue on desks for select to sidecard_queue using (true);
grant select, insert, update on desks to sidecard_app;
grant select on desks to sidecard_queue;

-- Refused requests to a callback URL, the newest few of each tenant.
create table rejections (
  id          uuid primary key,  -- UUIDv7: sorts by age
  tenant_id   uuid not null references tenants,
  at          timestamptz not null,
  code        text not null,
  reason      text not null,
  bytes       bigint not null,
  body_sha256 bytea,
  headers     json not null
);
create index rejections_tenant on rejections (tenant_id, id);
alter table rejections enable row level security;
alter table rejections force row level security;
create policy tenant on rejections to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
grant select, insert, delete on rejections to sidecard_app;

-- Finds a desk by the SHA-256 of the token in its callback URL, which is all that a request to it says
-- before its tenant is known.
-- +goose StatementBegin
create function desk_by_token(_token_hash bytea) returns setof desks
language sql stable security definer set search_path = '' as
$$ select * from public.desks where token_hash = _token_hash $$;
-- +goose StatementEnd
revoke execute on function desk_by_token from public;
grant execute on function desk_by_token to sidecard_app;
grant create on schema public to sidecard_queue;
alter function desk_by_token owner to sidecard_queue;
revoke create on schema public from sidecard_queue;
