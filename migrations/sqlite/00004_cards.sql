-- +goose Up
create table cards (
  tenant_id    text not null references tenants,
  version      integer not null,
  lines        text not null,
  published_at timestamp not null,
  published_by text not null references users,
  primary key (tenant_id, version)
);
