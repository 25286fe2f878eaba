-- +goose Up
create table tenant_keys (
  tenant_id     text not null references tenants on delete cascade,
  version       integer not null,
  wrapped       blob not null,
  master_key_id text not null,
  created_at    timestamp not null,
  primary key (tenant_id, version)
);

alter table signing_keys add column signs_at timestamp;
alter table signing_keys add column ends_at timestamp;
