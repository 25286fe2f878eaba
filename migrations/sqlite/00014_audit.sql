-- +goose Up
create table audit (
  tenant_id  text not null references tenants,
  number     integer not null,
  at         timestamp not null,
  actor_kind text not null,
  actor_id   text,
  actor      text not null,
  action     text not null,
  subject_id text not null,
  subject    text not null,
  address    text not null,
  before     text,
  after      text,
  hash       blob not null,
  primary key (tenant_id, number)
);
create index audit_action on audit (tenant_id, action, number);
create index audit_actor on audit (tenant_id, actor_id, number);

create table audit_heads (
  tenant_id text primary key not null references tenants,
  number    integer not null,
  hash      blob not null
);

create table cards_again (
  tenant_id    text not null references tenants,
  version      integer not null,
  lines        text not null,
  published_at timestamp not null,
  published_by text references users on delete set null,
  by_name      text not null default '',
  primary key (tenant_id, version)
);
insert into cards_again (tenant_id, version, lines, published_at, published_by)
  select tenant_id, version, lines, published_at, published_by from cards;
drop table cards;
alter table cards_again rename to cards;

create index tenants_delete_at on tenants (delete_at) where delete_at is not null;

create table gone_desks (
  token_hash blob primary key not null,
  until      timestamp not null
);
