-- +goose Up
create table mails (
  id         text primary key not null,
  sealed     blob not null,
  kind       text not null,
  due_at     timestamp not null,
  tries      integer not null,
  busy_until timestamp,
  created_at timestamp not null
);
create index mails_due on mails (due_at);
