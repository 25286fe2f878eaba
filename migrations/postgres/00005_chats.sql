-- +goose Up

-- The four tables of the queue. Their tenant comes from the desk's row (accept_chats) and then from the
-- work's own row, so they carry no foreign keys: a check for each chat would cost more than the insert.
-- Texts are compared byte by byte, which is the order in which the functions lock rows.

-- A chat as it came. Only ever inserted, so the table never bloats.
create table chats (
  tenant_id   uuid not null,
  id          uuid not null,              -- UUIDv7: sorts by age
  ext_id      text collate "C" not null,
  visitor_id  text collate "C" not null,  -- empty for what is not a chat
  body        bytea not null,             -- sealed
  received_at timestamptz not null default now(),
  ago_ms      bigint not null,            -- how long before that the chat really started
  primary key (tenant_id, id),
  unique (tenant_id, ext_id)
);
alter table chats enable row level security;
alter table chats force row level security;
create policy tenant on chats to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy queue on chats to sidecard_queue using (true) with check (true);
grant select on chats to sidecard_app;
grant select, insert on chats to sidecard_queue;

-- What is still to be done: one row for each visitor with an unfinished chat, which is also the visitor's
-- lock. It is about the visitor's newest chat; chats whose place that one took stand in older until it ends.
-- body, details and trail are bytea because jsonb would change the bytes between a try and the next one.
create table work (
  tenant_id  uuid not null,
  visitor_id text collate "C" not null,
  chat_id    uuid not null,
  started_at timestamptz not null,         -- when that chat really started
  lane       smallint not null default 0,  -- 0 lookup, 1 delivery
  state      smallint not null default 0,  -- 0 ready, 1 leased, 2 later
  due_at     timestamptz,                  -- end of the lease (1), next try (2)
  fence      bigint not null default 0,    -- of the newest lease: only who knows it may end the chat
  claims     int not null default 0,
  tries      int not null default 0,       -- attempts to deliver
  older      uuid[] not null default '{}',
  trail      bytea,
  details    bytea,                        -- sealed; the exact bytes to post
  primary key (tenant_id, visitor_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_threshold = 2000000000);
create index work_ready on work (lane, tenant_id, chat_id) where state = 0;
create index work_due on work (due_at) where state <> 0;
alter table work enable row level security;
alter table work force row level security;
create policy tenant on work to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy queue on work to sidecard_queue using (true) with check (true);
grant select on work to sidecard_app;
grant select, insert, update, delete on work to sidecard_queue;

-- How a chat ended. Its key is what makes the end unique.
create table outcomes (
  tenant_id    uuid not null,
  chat_id      uuid not null,
  outcome      smallint not null,          -- hub.Outcome
  ms           double precision not null,  -- received until ended
  card_version int not null,               -- 0 = none was used
  tries        int not null,
  trail        bytea,
  details      bytea,                      -- sealed
  at           timestamptz not null default now(),
  primary key (tenant_id, chat_id)
);
alter table outcomes enable row level security;
alter table outcomes force row level security;
create policy tenant on outcomes to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy queue on outcomes to sidecard_queue using (true) with check (true);
grant select on outcomes to sidecard_app;
grant select, insert on outcomes to sidecard_queue;

-- Every try to deliver, accepted or not.
create table attempts (
  tenant_id uuid not null,
  chat_id   uuid not null,
  number    int not null,               -- 1 is the first
  start_ms  double precision not null,  -- after received_at
  ms        double precision not null,
  status    int not null,               -- HTTP; 0 = no answer
  verdict   text not null,
  message   text not null,
  excerpt   bytea,                      -- sealed
  primary key (tenant_id, chat_id, number)
);
alter table attempts enable row level security;
alter table attempts force row level security;
create policy tenant on attempts to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy queue on attempts to sidecard_queue using (true) with check (true);
grant select on attempts to sidecard_app;
grant select, insert on attempts to sidecard_queue;
