-- +goose Up
create table desks (
  id                     text primary key not null,
  tenant_id              text not null unique references tenants,
  token_hash             blob not null unique,
  token_sealed           blob not null,
  secret_sealed          blob,
  previous_secret_sealed blob,
  previous_secret_until  timestamp,
  email                  text not null,
  api_key_sealed         blob,
  api_key_hint           text not null,
  unsigned               text not null,
  handshake_at           timestamp,
  first_signed_at        timestamp,
  paused_at              timestamp,
  problem_at             timestamp,
  problem_code           text not null
);

create table rejections (
  id          text primary key not null,
  tenant_id   text not null references tenants,
  at          timestamp not null,
  code        text not null,
  reason      text not null,
  bytes       integer not null,
  body_sha256 blob,
  headers     text not null
);
create index rejections_tenant on rejections (tenant_id, id);
