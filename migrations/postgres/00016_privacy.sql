-- +goose Up

-- What is kept of a chat that ended is forgotten some time after it came: then only when it came, how it ended and how
-- long that took remain. Chats up to the id in forgotten are forgotten.
alter table tenants add column retention_days int not null default 30 check (retention_days between 1 and 365);
alter table tenants add column forgotten uuid not null default '00000000-0000-0000-0000-000000000000';

grant update (body, visitor_id) on chats to sidecard_queue;
grant update (trail, details) on outcomes to sidecard_queue;

-- Lists tenants that have chats to forget.
-- +goose StatementBegin
create function tenants_to_forget() returns setof uuid
language sql stable security definer set search_path = '' as $$
  select t.id from public.tenants t
  where exists (
    select from public.chats c
    where c.tenant_id = t.id and c.id > t.forgotten
      and c.id < (lpad(to_hex((extract(epoch from now() - t.retention_days * interval '1 day') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid)
  limit 1000
$$;
-- +goose StatementEnd

-- Forgets ended chats of the transaction's tenant. The body stays as an empty one: nothing that was sealed is that short.
-- +goose StatementBegin
create function forget_chats(_id uuid[]) returns void
language plpgsql security definer set search_path = '' as $$
declare _tenant uuid := public.current_tenant();
begin
  update public.chats c set body = '', visitor_id = ''
  from unnest(_id) as f (id)
  cross join lateral (select c.ctid as place from public.chats c where c.tenant_id = _tenant and c.id = f.id offset 0) w
  where c.ctid = w.place;
  update public.outcomes o set trail = null, details = null
  from unnest(_id) as f (id)
  cross join lateral (select o.ctid as place from public.outcomes o where o.tenant_id = _tenant and o.chat_id = f.id offset 0) w
  where o.ctid = w.place;
  delete from public.attempts a using unnest(_id) as f (id)
  cross join lateral (select a.ctid as place from public.attempts a where a.tenant_id = _tenant and a.chat_id = f.id offset 0) w
  where a.ctid = w.place;
end $$;
-- +goose StatementEnd

-- Ends the unfinished chats of visitors of the transaction's tenant as erased (14), and returns how many those were.
-- Whoever has one in hand holds nothing any more.
-- +goose StatementBegin
create function end_erased(_visitor text[]) returns int
language plpgsql security definer set search_path = '' as $$
declare
  _tenant uuid := public.current_tenant();
  _ended int;
begin
  perform public.lock_work(array(select _tenant from unnest(_visitor)), array(select v from unnest(_visitor) v order by v collate "C"));
  with ended as (
    delete from public.work w using unnest(_visitor) as v (visitor_id)
    cross join lateral (select w.ctid as place from public.work w where w.tenant_id = _tenant and w.visitor_id = v.visitor_id offset 0) m
    where w.ctid = m.place
    returning w.chat_id, w.older, w.tries
  )
  insert into public.outcomes (tenant_id, chat_id, outcome, ms, card_version, tries)
  select _tenant, c.id, 14, extract(epoch from now() - c.received_at) * 1000, 0, case when c.id = e.chat_id then e.tries else 0 end
  from ended e cross join lateral unnest(e.older || e.chat_id) as o (chat_id)
  cross join lateral (select * from public.chats c where c.tenant_id = _tenant and c.id = o.chat_id offset 0) c
  on conflict do nothing;
  get diagnostics _ended = row_count;
  return _ended;
end $$;
-- +goose StatementEnd

revoke execute on function tenants_to_forget, forget_chats, end_erased from public;
grant execute on function tenants_to_forget, forget_chats, end_erased to sidecard_app;
grant create on schema public to sidecard_queue;
alter function tenants_to_forget owner to sidecard_queue;
alter function forget_chats owner to sidecard_queue;
alter function end_erased owner to sidecard_queue;
revoke create on schema public from sidecard_queue;
