-- +goose Up

-- What faults taught the verbs of the queue. Their rules stand in 00006_queue.sql; only these differ:

-- A tenant that is known to be slow gets one chat of a claim, however many wait.
drop function claim_chats;
-- +goose StatementBegin
create function claim_chats(_lane smallint, _after uuid, _limit int, _share int, _excluded uuid[], _lease_ms bigint, _fence bigint,
  _slow uuid[] default '{}')
returns table (tenant uuid, visitor text, chat uuid, claims int, tries int, received_at timestamptz, age_ms double precision,
               ago_ms bigint, revision bigint, body bytea, details bytea, trail bytea)
language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
begin
  perform set_config('synchronous_commit', 'off', true);
  return query
  with recursive ring (lane, tenant_id, n) as (
    -- Comparing lane and tenant together leaves the planner no index but work_ready.
    (select w.lane, w.tenant_id, 1 from public.work w
     where w.state = 0 and (w.lane, w.tenant_id) > (_lane, _after)
     order by w.lane, w.tenant_id limit 1)
    union all
    select next.lane, next.tenant_id, ring.n + 1 from ring cross join lateral (
      select w.lane, w.tenant_id from public.work w
      where w.state = 0 and (w.lane, w.tenant_id) > (ring.lane, ring.tenant_id)
      order by w.lane, w.tenant_id limit 1) next
    where ring.lane = _lane and ring.n < _limit + cardinality(_excluded)
  ), picked as materialized (
    select p.place from ring cross join lateral (
      select w.ctid as place from public.work w
      where w.lane = _lane and w.state = 0 and w.tenant_id = ring.tenant_id
      order by w.chat_id limit case when ring.tenant_id = any (_slow) then 1 else _share end
      for update skip locked) p
    where ring.lane = _lane and ring.tenant_id <> all (_excluded)
    limit _limit
  ), leased as (
    update public.work w
    set state = 1, due_at = now() + _lease_ms * interval '1 ms', fence = _fence, claims = w.claims + 1
    from picked where w.ctid = picked.place
    returning w.*
  )
  select l.tenant_id, l.visitor_id, l.chat_id, l.claims, l.tries, c.received_at,
         (extract(epoch from now() - c.received_at) * 1000)::double precision,
         c.ago_ms, t.revision, c.body, l.details, l.trail
  from leased l
  cross join lateral (select * from public.chats c where c.tenant_id = l.tenant_id and c.id = l.chat_id offset 0) c
  cross join lateral (select t.revision from public.tenants t where t.id = l.tenant_id offset 0) t
  order by l.tenant_id, l.chat_id;
end $$;
-- +goose StatementEnd

-- The place of a chat that a newer one overtook is negative: the newer one is ready now, and somebody should
-- claim it.
-- +goose StatementBegin
create or replace function finish_chats(_tenant uuid[], _visitor text[], _chat uuid[], _fence bigint[], _outcome smallint[],
  _ms double precision[], _card_version int[], _trail bytea[], _details bytea[],
  _number int[], _start_ms double precision[], _took_ms double precision[], _status int[], _verdict text[], _message text[], _excerpt bytea[])
returns setof int
language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
begin
  perform public.lock_work(_tenant, _visitor);
  return query
  with mine as materialized (
    select m.*, w.* from unnest(_tenant, _visitor, _chat, _fence, _outcome, _ms, _card_version, _trail, _details,
                                _number, _start_ms, _took_ms, _status, _verdict, _message, _excerpt) with ordinality
    as m (tenant_id, visitor_id, chat_id, fence, outcome, ms, card_version, trail, details,
          number, start_ms, took_ms, status, verdict, message, excerpt, place)
    cross join lateral (
      select w.ctid as spot, w.chat_id = m.chat_id as current, w.tries, w.older from public.work w
      where w.tenant_id = m.tenant_id and w.visitor_id = m.visitor_id
        and (w.chat_id = m.chat_id or m.chat_id = any (w.older)) and (w.state = 0 or w.state = 1 and w.fence = m.fence)
      offset 0) w
  ), gone as (
    delete from public.work w using mine m where m.current and w.ctid = m.spot
  ), freed as (
    update public.work w set state = 0, due_at = null,
      older = array(select o from unnest(w.older) o where not exists (select from mine n where n.spot = w.ctid and n.chat_id = o))
    from mine m where not m.current and w.ctid = m.spot and not exists (select from mine n where n.current and n.spot = m.spot)
  ), closed as (
    insert into public.outcomes (tenant_id, chat_id, outcome, ms, card_version, tries, trail, details)
    select tenant_id, chat_id, outcome, ms, card_version, greatest(case when current then tries end, number, 0), trail, details from mine
    on conflict do nothing
  ), tried as (
    insert into public.attempts (tenant_id, chat_id, number, start_ms, ms, status, verdict, message, excerpt)
    select tenant_id, chat_id, number, start_ms, took_ms, status, verdict, message, excerpt from mine where number is not null
    on conflict do nothing
  ), superseded as (
    insert into public.outcomes (tenant_id, chat_id, outcome, ms, card_version, tries)
    select c.tenant_id, c.id, 12, extract(epoch from now() - c.received_at) * 1000, 0,
           (select count(*) from public.attempts a where a.tenant_id = c.tenant_id and a.chat_id = c.id)
    from mine m cross join lateral unnest(m.older) as o (chat_id)
    cross join lateral (select * from public.chats c where c.tenant_id = m.tenant_id and c.id = o.chat_id offset 0) c
    where m.current and not exists (select from mine n where n.chat_id = c.id)
    on conflict do nothing
  )
  select case when current then place else -place end::int from mine;
end $$;
-- +goose StatementEnd

-- Here, too. With a negative delay nothing is given back: only a chat that was overtaken lets the newer one go.
-- +goose StatementBegin
create or replace function retry_chats(_tenant uuid[], _visitor text[], _chat uuid[], _fence bigint[], _lane smallint[], _delay_ms bigint[],
  _trail bytea[], _details bytea[],
  _number int[], _start_ms double precision[], _took_ms double precision[], _status int[], _verdict text[], _message text[], _excerpt bytea[])
returns setof int
language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
begin
  perform public.lock_work(_tenant, _visitor);
  return query
  with mine as materialized (
    select m.*, w.* from unnest(_tenant, _visitor, _chat, _fence, _lane, _delay_ms, _trail, _details,
                                _number, _start_ms, _took_ms, _status, _verdict, _message, _excerpt) with ordinality
    as m (tenant_id, visitor_id, chat_id, fence, lane, delay_ms, trail, details,
          number, start_ms, took_ms, status, verdict, message, excerpt, place)
    cross join lateral (
      select w.ctid as spot, w.chat_id = m.chat_id as current from public.work w
      where w.tenant_id = m.tenant_id and w.visitor_id = m.visitor_id
        and (w.chat_id = m.chat_id and w.state = 0 and m.delay_ms >= 0
          or (w.chat_id = m.chat_id and m.delay_ms >= 0 or m.chat_id = any (w.older)) and w.state = 1 and w.fence = m.fence)
      offset 0) w
  ), given as (
    update public.work w
    set state = case when m.delay_ms > 0 then 2 else 0 end,
        due_at = case when m.delay_ms > 0 then now() + m.delay_ms * interval '1 ms' end,
        lane = m.lane, trail = m.trail, details = m.details, tries = greatest(w.tries, m.number)
    from mine m where m.current and w.ctid = m.spot
  ), freed as (
    update public.work w set state = 0, due_at = null from mine m where not m.current and w.ctid = m.spot
  ), tried as (
    insert into public.attempts (tenant_id, chat_id, number, start_ms, ms, status, verdict, message, excerpt)
    select tenant_id, chat_id, number, start_ms, took_ms, status, verdict, message, excerpt from mine where number is not null
    on conflict do nothing
  )
  select case when current then place else -place end::int from mine;
end $$;
-- +goose StatementEnd

-- Also frees what was leased by claims whose caller never heard of it, and returns the tenants with _cap chats in
-- hand or more, over all workers; none when _cap is null.
drop function sweep_work;
-- +goose StatementBegin
create function sweep_work(_lease_ms bigint default 0, _cap int default null, _disowned bigint[] default '{}')
returns table (ready int, next_ms double precision, busy uuid[])
language plpgsql security definer set search_path = '' as $$
declare freed int;
begin
  with due as materialized (
    select w.ctid as place from public.work w
    where w.state <> 0 and w.due_at <= now()
    order by w.due_at limit 1000
    for update skip locked
  )
  update public.work w set state = 0, due_at = null from due where w.ctid = due.place;
  get diagnostics ready = row_count;
  if ready = 1000 then
    next_ms := 0;
  else
    select extract(epoch from w.due_at - now()) * 1000 into next_ms from public.work w
    where w.state <> 0 and w.due_at > now()
    order by w.due_at limit 1;
  end if;
  if cardinality(_disowned) > 0 then
    with vain as materialized (
      select w.ctid as place from public.work w
      where w.state <> 0 and w.due_at > now() and w.due_at <= now() + _lease_ms * interval '1 ms'
        and w.state = 1 and w.fence = any (_disowned)
      for update skip locked
    )
    update public.work w set state = 0, due_at = null from vain where w.ctid = vain.place;
    get diagnostics freed = row_count;
    ready := ready + freed;
  end if;
  busy := '{}';
  if _cap is not null then
    select coalesce(array_agg(b.tenant_id), '{}') into busy from (
      select w.tenant_id from public.work w
      where w.state <> 0 and w.due_at > now() and w.due_at <= now() + _lease_ms * interval '1 ms' and w.state = 1
      group by w.tenant_id having count(*) >= _cap) b;
  end if;
  return next;
end $$;
-- +goose StatementEnd

-- Makes what this transaction's tenant has waiting for a later try ready now, because the reason to wait is
-- gone: at most 1,000 chats, those that are due first. The others come when they are due.
-- +goose StatementBegin
create function hasten_work() returns int
language plpgsql security definer set search_path = '' as $$
declare hastened int;
begin
  with waiting as materialized (
    select w.ctid as place from public.work w
    where w.tenant_id = public.current_tenant() and w.state = 2
    order by w.due_at limit 1000
    for update skip locked
  )
  update public.work w set state = 0, due_at = null from waiting where w.ctid = waiting.place;
  get diagnostics hastened = row_count;
  return hastened;
end $$;
-- +goose StatementEnd

revoke execute on function claim_chats, sweep_work, hasten_work from public;
grant execute on function claim_chats, sweep_work, hasten_work to sidecard_app;
grant create on schema public to sidecard_queue;
alter function claim_chats owner to sidecard_queue;
alter function sweep_work owner to sidecard_queue;
alter function hasten_work owner to sidecard_queue;
revoke create on schema public from sidecard_queue;
