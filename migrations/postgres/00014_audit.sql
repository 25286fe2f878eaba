-- +goose Up

-- Who did what in a tenant. Each entry's hash covers the one before it, so that none can be changed, put in or taken
-- out unseen; the head names the newest, so that the end cannot be cut off either. The program can only add.
create table audit (
  tenant_id  uuid not null references tenants,
  number     bigint not null,       -- 1 is the tenant's first; none is left out
  at         timestamptz not null,
  actor_kind text not null,         -- user, token, operator or system
  actor_id   uuid,                  -- of the user or token
  actor      text not null,         -- as it was called then
  action     text not null,
  subject_id text not null,
  subject    text not null,         -- as it was called then
  address    text not null,
  before     json,                  -- what changed; json, not jsonb, because the hash covers the text
  after      json,
  hash       bytea not null,        -- SHA-256 of the hash before and all columns, see internal/store/audit.go
  primary key (tenant_id, number)
);
create index audit_action on audit (tenant_id, action, number);
create index audit_actor on audit (tenant_id, actor_id, number);
alter table audit enable row level security;
alter table audit force row level security;
create policy tenant on audit to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
grant select, insert on audit to sidecard_app;

-- The newest entry of each tenant. Whoever adds one holds its row.
create table audit_heads (
  tenant_id uuid primary key references tenants,
  number    bigint not null,
  hash      bytea not null
);
alter table audit_heads enable row level security;
alter table audit_heads force row level security;
create policy tenant on audit_heads to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
grant select, insert on audit_heads to sidecard_app;
grant update (number, hash) on audit_heads to sidecard_app;

-- A card may be published by a token, and outlives whoever published it.
alter table cards add column by_name text not null default '';
alter table cards alter column published_by drop not null;
alter table cards drop constraint cards_published_by_fkey;
alter table cards add foreign key (published_by) references users on delete set null;
alter table logins drop constraint logins_state_user_fkey;
alter table logins add foreign key (state_user) references users on delete set null;

create index tenants_delete_at on tenants (delete_at) where delete_at is not null;

-- Callback URLs of tenants that were deleted: for a while they answer that they are gone, which ends LiveSupporti's
-- repetitions.
create table gone_desks (
  token_hash bytea primary key,
  until      timestamptz not null
);
grant select on gone_desks to sidecard_app;
grant select, insert, delete on gone_desks to sidecard_queue;
grant delete on gone_desks to sidecard_app;

-- Who belongs to no tenant any more is forgotten.
grant delete on users to sidecard_app;

-- What a purge removes it may also see, and nothing more.
-- +goose StatementBegin
do $$
declare _table text;
begin
  foreach _table in array array['members', 'desks', 'rejections', 'connections', 'logins', 'imports', 'imported_rows', 'cards',
                                'chats', 'work', 'outcomes', 'attempts', 'invitations', 'api_tokens', 'audit', 'audit_heads'] loop
    execute format('create policy purge on %I to sidecard_queue using (true) with check (false)', _table);
    execute format('grant select, delete on %I to sidecard_queue', _table);
  end loop;
end $$;
-- +goose StatementEnd
create policy purge on tenants to sidecard_queue using (true) with check (false);
grant delete, update (delete_at) on tenants to sidecard_queue;  -- update: to lock the row
create policy purge on tenant_keys for delete to sidecard_queue using (true);
grant delete on tenant_keys to sidecard_queue;
grant select (id), delete on users to sidecard_queue;

-- The tenants whose time is up, and whether their purge has begun.
-- +goose StatementBegin
create function due_tenants() returns table (id uuid, begun boolean)
language sql stable security definer set search_path = '' as $$
  select t.id, not exists (select from public.desks d where d.tenant_id = t.id)
  from public.tenants t where t.delete_at <= now()
$$;
-- +goose StatementEnd

-- Shuts a tenant whose time is up: from now on nobody is a member, no callback URL is known, and what is stored
-- cannot be read, since its keys are gone. Nothing is done for a tenant that is not due.
-- +goose StatementBegin
create function begin_purge(_tenant uuid, _gone_until timestamptz) returns boolean
language plpgsql security definer set search_path = '' as $$
declare _users uuid[];
begin
  perform from public.tenants t where t.id = _tenant and t.delete_at <= now() for update skip locked;
  if not found then
    return false;
  end if;
  delete from public.tenant_keys where tenant_id = _tenant;
  insert into public.gone_desks (token_hash, until) select token_hash, _gone_until from public.desks where tenant_id = _tenant
    on conflict do nothing;
  delete from public.desks where tenant_id = _tenant;
  delete from public.work where tenant_id = _tenant;
  delete from public.logins where tenant_id = _tenant;
  delete from public.invitations where tenant_id = _tenant;
  delete from public.api_tokens where tenant_id = _tenant;
  with left_over as (delete from public.members where tenant_id = _tenant returning user_id)
    select array_agg(user_id) into _users from left_over;
  delete from public.users u where u.id = any (_users) and not exists (select from public.members m where m.user_id = u.id);
  return true;
end $$;
-- +goose StatementEnd

-- Removes at most so many rows of each table of a tenant that was shut, and at last the tenant itself. Returns
-- whether there are more.
-- +goose StatementBegin
create function purge_rows(_tenant uuid, _limit int) returns boolean
language plpgsql security definer set search_path = '' as $$
declare
  _table text;
  _removed int;
begin
  perform from public.tenants t where t.id = _tenant and t.delete_at <= now() for update skip locked;
  if not found or exists (select from public.desks where tenant_id = _tenant) then
    return false;
  end if;
  foreach _table in array array['work', 'attempts', 'outcomes', 'chats', 'imported_rows', 'logins', 'connections', 'imports', 'cards',
                                'rejections', 'invitations', 'api_tokens', 'audit', 'audit_heads'] loop
    execute format('delete from public.%I where ctid = any (array(select ctid from public.%I where tenant_id = $1 limit $2))', _table, _table)
      using _tenant, _limit;
    get diagnostics _removed = row_count;
    if _removed = _limit then
      return true;
    end if;
  end loop;
  delete from public.members where tenant_id = _tenant;
  delete from public.tenant_keys where tenant_id = _tenant;
  delete from public.tenants where id = _tenant;
  return false;
end $$;
-- +goose StatementEnd

revoke execute on function due_tenants, begin_purge, purge_rows from public;
grant execute on function due_tenants, begin_purge, purge_rows to sidecard_app;
grant create on schema public to sidecard_queue;
alter function due_tenants owner to sidecard_queue;
alter function begin_purge owner to sidecard_queue;
alter function purge_rows owner to sidecard_queue;
revoke create on schema public from sidecard_queue;
