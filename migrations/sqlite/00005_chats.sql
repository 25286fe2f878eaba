-- +goose Up
create table chats (
  tenant_id   text not null,
  id          text not null,
  ext_id      text not null,
  visitor_id  text not null,
  body        blob not null,
  received_at timestamp not null,
  ago_ms      integer not null,
  primary key (tenant_id, id),
  unique (tenant_id, ext_id)
);

create table work (
  tenant_id  text not null,
  visitor_id text not null,
  chat_id    text not null,
  started_at timestamp not null,
  lane       integer not null default 0,
  state      integer not null default 0,
  due_at     timestamp,
  fence      integer not null default 0,
  claims     integer not null default 0,
  tries      integer not null default 0,
  older      text not null default '[]',  -- JSON array of ids
  trail      blob,
  details    blob,
  primary key (tenant_id, visitor_id)
);
create index work_ready on work (lane, tenant_id, chat_id) where state = 0;
create index work_due on work (due_at) where state <> 0;

create table outcomes (
  tenant_id    text not null,
  chat_id      text not null,
  outcome      integer not null,
  ms           real not null,
  card_version integer not null,
  tries        integer not null,
  trail        blob,
  details      blob,
  at           timestamp not null,
  primary key (tenant_id, chat_id)
);

create table attempts (
  tenant_id text not null,
  chat_id   text not null,
  number    integer not null,
  start_ms  real not null,
  ms        real not null,
  status    integer not null,
  verdict   text not null,
  message   text not null,
  excerpt   blob,
  primary key (tenant_id, chat_id, number)
);
