-- +goose Up
create table imports (
  id        text primary key not null,
  tenant_id text not null references tenants,
  alive_at  timestamp not null,
  unique (tenant_id, id)
);

create table imported_rows (
  tenant_id text not null,
  import_id text not null,
  idx       blob not null,
  line      integer not null,
  data      blob not null,
  primary key (import_id, idx, line),
  foreign key (tenant_id, import_id) references imports (tenant_id, id)
);

create table connections (
  id           text primary key not null,
  tenant_id    text not null references tenants,
  kind         text not null,
  name         text not null,
  spec_version integer not null,
  settings     text not null,
  secrets      blob,
  secret_names text not null,
  last_check   text,
  last_import  text,
  import_id    text,
  revision     integer not null,
  created_at   timestamp not null,
  updated_at   timestamp not null,
  foreign key (tenant_id, import_id) references imports (tenant_id, id)
);
create index connections_tenant on connections (tenant_id, id);
create index connections_import on connections (import_id);
