-- +goose Up
create table cards (
  tenant_id    uuid not null references tenants,
  version      int not null,  -- 1 is the first
  lines        json not null,
  published_at timestamptz not null,
  published_by uuid not null references users,
  primary key (tenant_id, version)
);
alter table cards enable row level security;
alter table cards force row level security;
create policy tenant on cards to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
grant select, insert on cards to sidecard_app;  -- a version is never changed
