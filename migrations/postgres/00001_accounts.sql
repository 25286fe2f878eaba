-- +goose Up

-- Two roles, which sidecard migrate creates when they are missing. sidecard_app is what the program acts as:
-- it owns nothing and is bound by row-level security. sidecard_queue owns the functions that work across
-- tenants, and nothing else. Nobody signs in as either.
grant usage on schema public to sidecard_app, sidecard_queue;
grant select on goose_db_version to sidecard_app;

-- The tenant of this transaction; null, which fits no row, when none was set.
-- +goose StatementBegin
create function current_tenant() returns uuid language sql stable as
$$ select nullif(current_setting('app.tenant_id', true), '')::uuid $$;
-- +goose StatementEnd

-- The user of this transaction, for questions that come before a tenant is known.
-- +goose StatementBegin
create function current_user_id() returns uuid language sql stable as
$$ select nullif(current_setting('app.user_id', true), '')::uuid $$;
-- +goose StatementEnd

create table tenants (
  id         uuid primary key,
  name       text not null,
  index_key  bytea not null,             -- sealed
  revision   bigint not null default 1,  -- grows with each change of desk, connections or card
  created_at timestamptz not null
);
alter table tenants enable row level security;
alter table tenants force row level security;
create policy tenant on tenants to sidecard_app using (id = current_tenant()) with check (id = current_tenant());
create policy queue on tenants for select to sidecard_queue using (true);
grant select, insert, update on tenants to sidecard_app;
grant select on tenants to sidecard_queue;

-- People, their sessions and our signing keys belong to no tenant.
create table users (
  id            uuid primary key,
  email         text not null unique,  -- folded
  name          text not null,
  password_hash text not null,
  created_at    timestamptz not null
);
grant select, insert, update on users to sidecard_app;

create table members (
  tenant_id  uuid not null references tenants,
  user_id    uuid not null references users,
  role       text not null,
  created_at timestamptz not null,
  primary key (tenant_id, user_id)
);
create index members_user on members (user_id);
alter table members enable row level security;
alter table members force row level security;
create policy tenant on members to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy own on members for select to sidecard_app using (user_id = current_user_id());
grant select, insert, update, delete on members to sidecard_app;

create table sessions (
  id               uuid primary key,
  user_id          uuid not null,
  active_tenant_id uuid not null,
  created_at       timestamptz not null,
  expires_at       timestamptz not null,
  ended_at         timestamptz,
  foreign key (active_tenant_id, user_id) references members (tenant_id, user_id) on delete cascade
);
create index sessions_user on sessions (user_id);
grant select, insert, update, delete on sessions to sidecard_app;

create table refresh_tokens (
  hash       bytea primary key,
  session_id uuid not null references sessions on delete cascade,
  created_at timestamptz not null,
  used_at    timestamptz
);
create index refresh_tokens_session on refresh_tokens (session_id);
grant select, insert, update, delete on refresh_tokens to sidecard_app;

create table signing_keys (
  number     int primary key,  -- 1 is the first; that it can be there only once settles who made it
  key_id     text not null unique,
  sealed     bytea not null,
  created_at timestamptz not null
);
grant select, insert on signing_keys to sidecard_app;
