-- +goose Up
alter table chats add column replay_of text;
create index chats_replay_of on chats (tenant_id, replay_of, id) where replay_of is not null;

-- PostgreSQL does without this one, which every accepted chat would have to pay for: it walks over the last
-- minutes faster than SQLite does.
create index chats_visitor on chats (tenant_id, visitor_id, id);
