-- +goose Up

alter table connections add unique (tenant_id, id);
drop index connections_tenant;

-- A connection's OAuth login, and the attempt to get one that is under way.
create table logins (
  connection_id uuid primary key,
  tenant_id     uuid not null,
  tokens        bytea,            -- sealed; null before the first login
  generation    bigint not null,  -- grows with each new token
  account       text not null,
  scopes        json not null,
  connected_at  timestamptz,
  revoked_at    timestamptz,      -- when the vendor refused to renew it
  busy_until    timestamptz,      -- somebody renews it
  state_hash    bytea,            -- of the attempt
  state_until   timestamptz,
  state_user    uuid references users,
  verifier      bytea,            -- sealed
  foreign key (tenant_id, connection_id) references connections (tenant_id, id) on delete cascade
);
create unique index logins_state on logins (state_hash);
create index logins_tenant on logins (tenant_id, connection_id);
alter table logins enable row level security;
alter table logins force row level security;
create policy tenant on logins to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
grant select, insert, update, delete on logins to sidecard_app;
