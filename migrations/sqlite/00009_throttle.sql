-- +goose Up

alter table desks add column throttled_until timestamp;
