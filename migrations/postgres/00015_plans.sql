-- +goose Up

-- How much a tenant may use: a name of hub.Plan. Who is there already is not limited.
alter table tenants add column plan text not null default 'unlimited';
