-- +goose Up

alter table tenants add column second_factor_required boolean not null default false;
alter table tenants add column delete_at timestamptz;  -- then everything of the tenant goes

alter table sessions add column client text not null default '';   -- as it called itself when it signed in
alter table sessions add column address text not null default '';
alter table sessions add column used_at timestamptz;
-- The token that came of this one, sealed: for some seconds it is given again to whoever asked twice.
alter table refresh_tokens add column successor bytea;

create table second_factors (
  user_id      uuid primary key references users on delete cascade,
  secret       bytea not null,      -- sealed
  confirmed_at timestamptz,         -- null: begun, not in use
  last_step    bigint not null      -- of the newest code that was taken; none works twice
);
grant select, insert, update, delete on second_factors to sidecard_app;

create table recovery_codes (
  user_id uuid not null references users on delete cascade,
  hash    bytea not null,
  primary key (user_id, hash)
);
grant select, insert, delete on recovery_codes to sidecard_app;

-- Links in mails: each works once.
create table links (
  hash       bytea primary key,
  kind       text not null,
  email      text not null,                              -- folded
  user_id    uuid references users on delete cascade,    -- null: nobody yet
  sealed     bytea,                                      -- what else the link is for
  created_at timestamptz not null,
  until      timestamptz not null
);
create index links_email on links (email, kind);
create index links_until on links (until);
grant select, insert, delete, update (sealed) on links to sidecard_app;

create table invitations (
  id         uuid primary key,
  tenant_id  uuid not null references tenants,
  hash       bytea not null unique,
  email      text not null,         -- folded
  role       text not null,
  invited_by text not null,
  created_at timestamptz not null,
  until      timestamptz not null,
  unique (tenant_id, email)
);
alter table invitations enable row level security;
alter table invitations force row level security;
create policy tenant on invitations to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
create policy queue on invitations for select to sidecard_queue using (true);
grant select, insert, update, delete on invitations to sidecard_app;
grant select on invitations to sidecard_queue;

-- Finds the tenant of an invitation by the SHA-256 of its link's token, which is all that the invited have.
-- +goose StatementBegin
create function tenant_of_invitation(_hash bytea) returns uuid
language sql stable security definer set search_path = '' as
$$ select tenant_id from public.invitations where hash = _hash $$;
-- +goose StatementEnd
revoke execute on function tenant_of_invitation from public;
grant execute on function tenant_of_invitation to sidecard_app;

create table api_tokens (
  id           uuid primary key,    -- the token's jti
  tenant_id    uuid not null references tenants,
  name         text not null,
  scopes       json not null,
  role         text not null,       -- the most it may do
  created_by   text not null,
  created_at   timestamptz not null,
  expires_at   timestamptz not null,
  last_used_at timestamptz,
  revoked_at   timestamptz
);
create index api_tokens_tenant on api_tokens (tenant_id, id);
alter table api_tokens enable row level security;
alter table api_tokens force row level security;
create policy tenant on api_tokens to sidecard_app using (tenant_id = current_tenant()) with check (tenant_id = current_tenant());
grant select, insert, update on api_tokens to sidecard_app;

grant create on schema public to sidecard_queue;
alter function tenant_of_invitation owner to sidecard_queue;
revoke create on schema public from sidecard_queue;
