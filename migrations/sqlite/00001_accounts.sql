-- +goose Up

-- The mirror of migrations/postgres for a single process. Ids are text; timestamps are always UTC. The
-- tenant is held by the queries alone: there are no roles, no policies and no functions here.
create table tenants (
  id         text primary key not null,
  name       text not null,
  index_key  blob not null,
  revision   integer not null default 1,
  created_at timestamp not null
);

create table users (
  id            text primary key not null,
  email         text not null unique,
  name          text not null,
  password_hash text not null,
  created_at    timestamp not null
);

create table members (
  tenant_id  text not null references tenants,
  user_id    text not null references users,
  role       text not null,
  created_at timestamp not null,
  primary key (tenant_id, user_id)
);
create index members_user on members (user_id);

create table sessions (
  id               text primary key not null,
  user_id          text not null,
  active_tenant_id text not null,
  created_at       timestamp not null,
  expires_at       timestamp not null,
  ended_at         timestamp,
  foreign key (active_tenant_id, user_id) references members (tenant_id, user_id) on delete cascade
);
create index sessions_user on sessions (user_id);

create table refresh_tokens (
  hash       blob primary key not null,
  session_id text not null references sessions on delete cascade,
  created_at timestamp not null,
  used_at    timestamp
);
create index refresh_tokens_session on refresh_tokens (session_id);

create table signing_keys (
  number     integer primary key not null,
  key_id     text not null unique,
  sealed     blob not null,
  created_at timestamp not null
);
