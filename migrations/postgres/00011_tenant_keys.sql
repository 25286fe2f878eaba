-- +goose Up

-- The keys that a tenant's values are sealed with, the newest version first to seal. Without them nothing of the
-- tenant can be read.
create table tenant_keys (
  tenant_id     uuid not null references tenants on delete cascade,
  version       int not null,      -- 1 is the first
  wrapped       bytea not null,    -- the key, sealed with a master key
  master_key_id text not null,     -- of that one
  created_at    timestamptz not null,
  primary key (tenant_id, version)
);
alter table tenant_keys enable row level security;
alter table tenant_keys force row level security;
create policy tenant on tenant_keys to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy queue on tenant_keys for select to sidecard_queue using (true);
grant select, insert, delete on tenant_keys to sidecard_app;
grant update (wrapped, master_key_id) on tenant_keys to sidecard_app;
grant select (tenant_id, master_key_id) on tenant_keys to sidecard_queue;

-- When a key for access tokens begins to sign, which is after all processes have read it, and when it is no longer
-- good for anything. Null: from its first moment, and until the next key takes its place.
alter table signing_keys add column signs_at timestamptz, add column ends_at timestamptz;
grant update on signing_keys to sidecard_app;

-- What the master key sealed itself before there were data keys is sealed anew by sidecard keys rotate. Nothing
-- else of these rows can be changed.
grant update (body) on chats to sidecard_app;
grant update (details) on work, outcomes to sidecard_app;
grant update (excerpt) on attempts to sidecard_app;
grant update (data) on imported_rows to sidecard_app;

-- The tenants after an id, for chores that visit them all one by one. It gives nothing but ids.
-- +goose StatementBegin
create function tenants_after(_after uuid, _limit int) returns setof uuid
language sql stable security definer set search_path = '' as
$$ select id from public.tenants where id > _after order by id limit _limit $$;
-- +goose StatementEnd

-- How many data keys of all tenants are not sealed with a master key.
-- +goose StatementBegin
create function tenant_keys_not_of(_master_key_id text) returns bigint
language sql stable security definer set search_path = '' as
$$ select count(*) from public.tenant_keys where master_key_id <> _master_key_id $$;
-- +goose StatementEnd

revoke execute on function tenants_after, tenant_keys_not_of from public;
grant execute on function tenants_after, tenant_keys_not_of to sidecard_app;
grant create on schema public to sidecard_queue;
alter function tenants_after owner to sidecard_queue;
alter function tenant_keys_not_of owner to sidecard_queue;
revoke create on schema public from sidecard_queue;
