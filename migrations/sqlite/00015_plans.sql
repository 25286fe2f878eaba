-- +goose Up
alter table tenants add column plan text not null default 'unlimited';
