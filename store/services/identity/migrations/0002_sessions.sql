-- Sessions: one per login, living on through its refresh tokens.
--
-- The table of the specification with its names kept. What differs, and why:
-- * `index` inside `create table` is MySQL's; PostgreSQL has `create index`.
-- * `user_id` is not null: a session without a user could be neither shown nor ended.
-- * `deleted_at` is when a session ended, by logout, by its owner, by reuse of a token or by time. Ended rows
--   stay until every process has learned of it, then a job removes them.

create table sessions (
    id                  uuid primary key default gen_random_uuid(),
    user_id             uuid not null references users (id) on delete cascade,
    token_hash          varchar(255) unique not null,   -- sha256 of the one refresh token that is in force, in hex
    expires_at          timestamptz not null,           -- when that token expires; each refresh moves it on
    absolute_expires_at timestamptz not null,           -- beyond this no refresh moves it
    last_used_at        timestamptz not null,
    user_agent          varchar(512),
    version             integer not null default 1,
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default now(),
    deleted_at          timestamptz,
    constraint sessions_expiry_bounded check (expires_at <= absolute_expires_at)
);

-- Also the order in which a user's sessions are listed.
create index idx_sessions_user on sessions (user_id, created_at, id);
-- Only the living expire.
create index idx_sessions_expires on sessions (expires_at) where deleted_at is null;
-- What lately ended, for the other processes, and what ended long enough ago to be removed.
create index idx_sessions_ended on sessions (deleted_at) where deleted_at is not null;

create view active_sessions as
select id, user_id, expires_at, absolute_expires_at, last_used_at, user_agent, version, created_at, updated_at
from sessions
where deleted_at is null;

-- Every refresh token of a session: the one in force and those before it, which are kept so that the
-- reuse of any of them is recognised. The tokens themselves are nowhere: one is a function of its id.

create table refresh_tokens (
    id            uuid primary key,   -- the token's jti, a UUIDv7: in the order of issue
    session_id    uuid not null references sessions (id) on delete cascade,
    created_at    timestamptz not null,
    superseded_at timestamptz,
    successor_id  uuid,               -- no foreign key: the old is marked before its successor is there
    constraint refresh_tokens_superseded_by_one check ((superseded_at is null) = (successor_id is null))
);

create index refresh_tokens_session on refresh_tokens (session_id);
-- Whatever the code does, a session has one token in force.
create unique index refresh_tokens_in_force on refresh_tokens (session_id) where superseded_at is null;
