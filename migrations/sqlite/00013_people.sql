-- +goose Up

alter table tenants add column second_factor_required boolean not null default false;
alter table tenants add column delete_at timestamp;

alter table sessions add column client text not null default '';
alter table sessions add column address text not null default '';
alter table sessions add column used_at timestamp;
alter table refresh_tokens add column successor blob;

create table second_factors (
  user_id      text primary key not null references users on delete cascade,
  secret       blob not null,
  confirmed_at timestamp,
  last_step    integer not null
);

create table recovery_codes (
  user_id text not null references users on delete cascade,
  hash    blob not null,
  primary key (user_id, hash)
);

create table links (
  hash       blob primary key not null,
  kind       text not null,
  email      text not null,
  user_id    text references users on delete cascade,
  sealed     blob,
  created_at timestamp not null,
  until      timestamp not null
);
create index links_email on links (email, kind);
create index links_until on links (until);

create table invitations (
  id         text primary key not null,
  tenant_id  text not null references tenants,
  hash       blob not null unique,
  email      text not null,
  role       text not null,
  invited_by text not null,
  created_at timestamp not null,
  until      timestamp not null,
  unique (tenant_id, email)
);

create table api_tokens (
  id           text primary key not null,
  tenant_id    text not null references tenants,
  name         text not null,
  scopes       text not null,
  role         text not null,
  created_by   text not null,
  created_at   timestamp not null,
  expires_at   timestamp not null,
  last_used_at timestamp,
  revoked_at   timestamp
);
create index api_tokens_tenant on api_tokens (tenant_id, id);
