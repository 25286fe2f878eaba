-- +goose Up
alter table tenants add column retention_days integer not null default 30 check (retention_days between 1 and 365);
alter table tenants add column forgotten text not null default '00000000-0000-0000-0000-000000000000';
