-- Users.
--
-- The table of the specification with its names kept. What differs, and why:
-- * `unique (email)` would keep the address of a deleted user taken for ever, and would let Ann@x.org and
--   ann@x.org be two accounts. It became an index over the living, without case.
-- * `created_at`, `updated_at` and `version` are not null: a list sorts by the first, a cursor and an ETag
--   are made of them.
-- * `select *` in a view freezes the columns of that day, so `active_users` names them. It leaves out the
--   password's hash, which nobody who looks at active users needs.
-- The defaults stay for rows that are inserted by hand. The application sets everything itself: its ids
-- are UUIDv7, in the order of time, and its moments are those of its own clock.

create table users (
    id                uuid primary key default gen_random_uuid(),
    email             varchar(255) not null,        -- as it was typed
    email_verified_at timestamptz,                  -- null again when the email changes
    name              text not null,
    roles             text[] not null default '{member}',
    password_hash     varchar(255) not null,        -- argon2id, in PHC format
    roles_changed_at  timestamptz,                  -- rises with every change: tells which of two came later
    version           integer not null default 1,
    created_at        timestamptz not null default now(),
    updated_at        timestamptz not null default now(),
    deleted_at        timestamptz,
    -- A role that is added to `roleNames` in the store's api.ts is added here.
    constraint users_roles_known check (roles <@ array['member', 'admin']::text[] and cardinality(roles) > 0)
);

-- Addresses are ASCII (the contract's format). With "C", lower() folds the same letters on every server:
-- in a Turkish locale `I` would become a letter that no address has. Login looks users up by this index.
create unique index users_email_key on users (lower(email collate "C")) where deleted_at is null;

-- Lists: by age (the default), by name, by email; the id breaks ties, as it does in every cursor.
create index users_created on users (created_at, id) where deleted_at is null;
create index users_name on users (name, id) where deleted_at is null;
create index users_email on users (email, id) where deleted_at is null;
create index users_roles on users using gin (roles) where deleted_at is null;

-- What lately ended tokens: read every two seconds by every process.
create index users_deleted on users (deleted_at) where deleted_at is not null;
create index users_roles_changed on users (roles_changed_at) where roles_changed_at is not null;

create view active_users as
select id, email, email_verified_at, name, roles, version, created_at, updated_at
from users
where deleted_at is null;
