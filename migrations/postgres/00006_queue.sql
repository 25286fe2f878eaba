-- +goose Up

-- The six verbs of the queue. They work across tenants, so they belong to sidecard_queue; the program may
-- only call them.
--
-- Whoever waits for rows of work waits for them in the order of tenant and visitor: the caller sorts its
-- arrays so, accept_chats sorts by itself, and the others skip what is locked. So two calls never wait for
-- each other. A function that changes rows locks them first, in a statement of its own: the next statement
-- then sees them as they are, whoever changed them meanwhile.
--
-- Plans are made once, often while the tables are empty, when reading a whole table looks cheapest. So rows
-- are looked up by "lateral (... offset 0)", which leaves the planner nothing but the key, and changed by ctid.

-- Stores chats and puts those that are to be looked up to work. Returns the chats that are new (known), and
-- those whose desk does not exist (not known, nothing stored); what is missing was here before.
-- A chat that really started before a newer one of its visitor ends as superseded: at once if that one is
-- here already, else when it ends.
-- +goose StatementBegin
create function accept_chats(_desk uuid[], _id uuid[], _ext text[], _visitor text[], _body bytea[], _ago_ms bigint[])
returns table (chat uuid, known boolean)
language plpgsql security definer set search_path = '' as $$
#variable_conflict use_column
begin
  return query
  with arrived as materialized (
    select d.tenant_id, a.*
    from unnest(_desk, _id, _ext, _visitor, _body, _ago_ms) as a (desk, id, ext_id, visitor_id, body, ago_ms)
    left join lateral (select d.tenant_id from public.desks d where d.id = a.desk offset 0) d on true
  ), stored as (
    insert into public.chats as c (tenant_id, id, ext_id, visitor_id, body, ago_ms)
    select tenant_id, id, ext_id, visitor_id, body, ago_ms from arrived where tenant_id is not null
    order by tenant_id, ext_id
    on conflict do nothing
    returning c.tenant_id, c.id, c.visitor_id, c.ago_ms, c.received_at - c.ago_ms * interval '1 ms' as started_at
  ), sorted as materialized (
    select s.*, case
      when s.visitor_id = '' then 13  -- not a chat
      when s.ago_ms > 0 and exists (  -- only a repeated notification can be late
        select from public.chats n
        where n.tenant_id = s.tenant_id and n.visitor_id = s.visitor_id
          and n.received_at - n.ago_ms * interval '1 ms' > s.started_at
          -- ids begin with their time: this keeps the search to the last minutes, with one for clocks that differ
          and n.id >= (lpad(to_hex((extract(epoch from s.started_at) * 1000)::bigint - 60000), 12, '0') || repeat('0', 20))::uuid
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

-- Leases the next fair batch of a lane: from the tenant after a cursor on, in the order of their ids, at most
-- _share chats of each and _limit in all. Walking the ready index from tenant to tenant costs the same
-- however long a tenant's queue is. A crash of the database may forget a lease: the commit is not waited for.
-- +goose StatementBegin
create function claim_chats(_lane smallint, _after uuid, _limit int, _share int, _excluded uuid[], _lease_ms bigint, _fence bigint)
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
      order by w.chat_id limit _share
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

-- Locks the work rows of visitors.
-- +goose StatementBegin
create function lock_work(_tenant uuid[], _visitor text[]) returns void
language plpgsql set search_path = '' as $$
begin
  perform from unnest(_tenant, _visitor) as m (tenant_id, visitor_id)
  cross join lateral (
    select from public.work w where w.tenant_id = m.tenant_id and w.visitor_id = m.visitor_id offset 0 for update) w;
end $$;
-- +goose StatementEnd

-- Ends chats with their outcome and their last attempt. Returns the places (1 is the first) of those that
-- were still the caller's: leased under its fence, or ready because the lease ran out and nobody came since.
-- The chats whose place an ended one took are superseded. A chat that was itself overtaken meanwhile gets its
-- own outcome all the same, and the newer one becomes ready.
-- +goose StatementBegin
create function finish_chats(_tenant uuid[], _visitor text[], _chat uuid[], _fence bigint[], _outcome smallint[],
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
  select place::int from mine;
end $$;
-- +goose StatementEnd

-- Gives chats back for a lane, to be ready after a delay. Returns the places of those that were still the
-- caller's, as finish_chats does. When a newer chat took the visitor's row over, that one becomes ready.
-- +goose StatementBegin
create function retry_chats(_tenant uuid[], _visitor text[], _chat uuid[], _fence bigint[], _lane smallint[], _delay_ms bigint[],
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
        and (w.chat_id = m.chat_id and w.state = 0
          or (w.chat_id = m.chat_id or m.chat_id = any (w.older)) and w.state = 1 and w.fence = m.fence)
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
  select place::int from mine where current;
end $$;
-- +goose StatementEnd

-- Renews leases and returns the chats that are still leased under their fence. A chat that a newer one
-- overtook is not among them: its holder shall stop.
-- +goose StatementBegin
create function extend_leases(_tenant uuid[], _visitor text[], _chat uuid[], _fence bigint[], _lease_ms bigint)
returns setof uuid
language plpgsql security definer set search_path = '' as $$
begin
  perform public.lock_work(_tenant, _visitor);
  return query
  with mine as materialized (
    select w.spot from unnest(_tenant, _visitor, _chat, _fence) as m (tenant_id, visitor_id, chat_id, fence)
    cross join lateral (
      select w.ctid as spot from public.work w
      where w.tenant_id = m.tenant_id and w.visitor_id = m.visitor_id and w.chat_id = m.chat_id and w.state = 1 and w.fence = m.fence
      offset 0) w
  )
  update public.work w set due_at = now() + _lease_ms * interval '1 ms' from mine m where w.ctid = m.spot
  returning w.chat_id;
end $$;
-- +goose StatementEnd

-- Makes leases that ran out and tries that are due ready again, at most 1,000. Returns how many, and the
-- milliseconds until the next is due: 0 when there may be more now, null when none waits.
-- +goose StatementBegin
create function sweep_work() returns table (ready int, next_ms double precision)
language plpgsql security definer set search_path = '' as $$
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
  return next;
end $$;
-- +goose StatementEnd

revoke execute on function accept_chats, claim_chats, lock_work, finish_chats, retry_chats, extend_leases, sweep_work from public;
grant execute on function accept_chats, claim_chats, finish_chats, retry_chats, extend_leases, sweep_work to sidecard_app;
grant create on schema public to sidecard_queue;
alter function accept_chats owner to sidecard_queue;
alter function claim_chats owner to sidecard_queue;
alter function lock_work owner to sidecard_queue;
alter function finish_chats owner to sidecard_queue;
alter function retry_chats owner to sidecard_queue;
alter function extend_leases owner to sidecard_queue;
alter function sweep_work owner to sidecard_queue;
revoke create on schema public from sidecard_queue;
