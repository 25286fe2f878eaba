-- +goose Up

-- LiveSupporti asked to be left alone until then: all workers have to know.
alter table desks add column throttled_until timestamptz;
