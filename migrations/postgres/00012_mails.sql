-- +goose Up

-- The outbox. Mails belong to people, not to a tenant; whom they go to is inside what is sealed.
create table mails (
  id         uuid primary key,
  sealed     bytea not null,
  kind       text not null,
  due_at     timestamptz not null,
  tries      int not null,
  busy_until timestamptz,  -- a courier has it in hand
  created_at timestamptz not null
);
create index mails_due on mails (due_at);
grant select, insert, update, delete on mails to sidecard_app;
