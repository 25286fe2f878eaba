-- +goose Up
create unique index connections_tenant_id_id_key on connections (tenant_id, id);
drop index connections_tenant;

create table logins (
  connection_id text primary key not null,
  tenant_id     text not null,
  tokens        blob,
  generation    integer not null,
  account       text not null,
  scopes        text not null,
  connected_at  timestamp,
  revoked_at    timestamp,
  busy_until    timestamp,
  state_hash    blob,
  state_until   timestamp,
  state_user    text references users,
  verifier      blob,
  foreign key (tenant_id, connection_id) references connections (tenant_id, id) on delete cascade
);
create unique index logins_state on logins (state_hash);
create index logins_tenant on logins (tenant_id, connection_id);
