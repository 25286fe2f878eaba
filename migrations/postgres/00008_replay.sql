-- +goose Up

-- A replay is a chat of its own that names the chat it replays.
alter table chats add column replay_of uuid;
create index chats_replay_of on chats (tenant_id, replay_of, id) where replay_of is not null;

-- accept_chats as in 00006_queue.sql, but for replays. Whoever asks for one has just made sure that the visitor
-- has no newer chat, however old the original is, so the search for one is kept to the last minutes; other
-- replays do not count in it, and neither does the original. A program of before calls it without _replay_of.
drop function accept_chats;
-- +goose StatementBegin
create function accept_chats(_desk uuid[], _id uuid[], _ext text[], _visitor text[], _body bytea[], _ago_ms bigint[],
  _replay_of uuid[] default null)
returns table (chat uuid, known boolean)
language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
begin
  return query
  with arrived as materialized (
    select d.tenant_id, a.*
    from unnest(_desk, _id, _ext, _visitor, _body, _ago_ms, _replay_of) as a (desk, id, ext_id, visitor_id, body, ago_ms, replay_of)
    left join lateral (select d.tenant_id from public.desks d where d.id = a.desk offset 0) d on true
  ), stored as (
    insert into public.chats as c (tenant_id, id, ext_id, visitor_id, body, ago_ms, replay_of)
    select tenant_id, id, ext_id, visitor_id, body, ago_ms, replay_of from arrived where tenant_id is not null
    order by tenant_id, ext_id
    on conflict do nothing
    returning c.tenant_id, c.id, c.visitor_id, c.ago_ms, c.replay_of, c.received_at - c.ago_ms * interval '1 ms' as started_at
  ), sorted as materialized (
    select s.*, case
      when s.visitor_id = '' then 13  -- not a chat
      when s.ago_ms > 0 and exists (  -- only a repeated notification or a replay can be late
        select from public.chats n
        where n.tenant_id = s.tenant_id and n.visitor_id = s.visitor_id
          and n.received_at - n.ago_ms * interval '1 ms' > s.started_at
          and (s.replay_of is null or n.replay_of is null and n.id <> s.replay_of)
          -- ids begin with their time: this keeps the search to the last minutes, with one for clocks that differ
          and n.id >= (lpad(to_hex((extract(epoch from greatest(s.started_at, case when s.replay_of is not null then now() - interval '5 min' end)) * 1000)::bigint
            - 60000), 12, '0') || repeat('0', 20))::uuid
      ) then 12                       -- superseded
      end as ended
    from stored s
  ), closed as (
    insert into public.outcomes (tenant_id, chat_id, outcome, ms, card_version, tries)
    select tenant_id, id, ended, 0, 0, 0 from sorted where ended is not null
  ), queued as (
    insert into public.work as w (tenant_id, visitor_id, chat_id, started_at, older)
    select tenant_id, visitor_id, (array_agg(id order by started_at desc, id desc))[1], max(started_at),
           (array_agg(id order by started_at desc, id desc))[2:]
    from sorted where ended is null
    group by tenant_id, visitor_id order by tenant_id, visitor_id
    on conflict (tenant_id, visitor_id) do update set
      older      = w.older || excluded.older || case when excluded.started_at >= w.started_at then w.chat_id else excluded.chat_id end,
      chat_id    = case when excluded.started_at >= w.started_at then excluded.chat_id else w.chat_id end,
      started_at = greatest(excluded.started_at, w.started_at),
      lane       = case when excluded.started_at >= w.started_at then 0 else w.lane end,
      claims     = case when excluded.started_at >= w.started_at then 0 else w.claims end,
      tries      = case when excluded.started_at >= w.started_at then 0 else w.tries end,
      trail      = case when excluded.started_at >= w.started_at then null else w.trail end,
      details    = case when excluded.started_at >= w.started_at then null else w.details end,
      -- A lease goes on: its holder may be posting, and no other may post for this visitor meanwhile.
      due_at     = case when excluded.started_at >= w.started_at and w.state <> 1 then null else w.due_at end,
      state      = case when excluded.started_at >= w.started_at and w.state <> 1 then 0 else w.state end
  )
  select id, true from stored
  union all
  select id, false from arrived where tenant_id is null;
end $$;
-- +goose StatementEnd

revoke execute on function accept_chats from public;
grant execute on function accept_chats to sidecard_app;
grant create on schema public to sidecard_queue;
alter function accept_chats owner to sidecard_queue;
revoke create on schema public from sidecard_queue;
