-- +goose Up

-- One loaded file. Its rows count only while a connection names it; one that no connection names is being
-- loaded, or is left over from a load that broke off.
create table imports (
  id        uuid primary key,
  tenant_id uuid not null references tenants,
  alive_at  timestamptz not null,  -- the last sign of life of whoever loads it
  unique (tenant_id, id)
);
alter table imports enable row level security;
alter table imports force row level security;
create policy tenant on imports to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy queue on imports for select to sidecard_queue using (true);
grant select, insert, update, delete on imports to sidecard_app;
grant select on imports to sidecard_queue;

create table imported_rows (
  tenant_id uuid not null,
  import_id uuid not null,
  idx       bytea not null,  -- keyed hash of the folded address
  line      int not null,
  data      bytea not null,  -- sealed
  primary key (import_id, idx, line),
  foreign key (tenant_id, import_id) references imports (tenant_id, id)
);
alter table imported_rows enable row level security;
alter table imported_rows force row level security;
create policy tenant on imported_rows to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
grant select, insert, delete on imported_rows to sidecard_app;

create table connections (
  id           uuid primary key,
  tenant_id    uuid not null references tenants,
  kind         text not null,
  name         text not null,
  spec_version int not null,
  settings     json not null,
  secrets      bytea,           -- sealed
  secret_names json not null,
  last_check   json,
  last_import  json,
  import_id    uuid,            -- whose rows count; null before the first file
  revision     bigint not null, -- grows with each change of settings or rows
  created_at   timestamptz not null,
  updated_at   timestamptz not null,
  foreign key (tenant_id, import_id) references imports (tenant_id, id)
);
create index connections_tenant on connections (tenant_id, id);
create index connections_import on connections (import_id);
alter table connections enable row level security;
alter table connections force row level security;
create policy tenant on connections to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy queue on connections for select to sidecard_queue using (true);
grant select, insert, update, delete on connections to sidecard_app;
grant select on connections to sidecard_queue;

-- Lists imports of all tenants that no connection names and that showed no sign of life since a time, so
-- that the rows of a load that broke off can be removed, by whoever comes next.
-- +goose StatementBegin
create function stale_imports(_since timestamptz) returns table (tenant_id uuid, id uuid)
language sql stable security definer set search_path = '' as $$
  select i.tenant_id, i.id from public.imports i
  where i.alive_at < _since and not exists (select from public.connections c where c.import_id = i.id)
  limit 100
$$;
-- +goose StatementEnd
revoke execute on function stale_imports from public;
grant execute on function stale_imports to sidecard_app;
grant create on schema public to sidecard_queue;
alter function stale_imports owner to sidecard_queue;
revoke create on schema public from sidecard_queue;
