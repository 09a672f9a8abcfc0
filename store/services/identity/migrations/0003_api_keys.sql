-- API keys: how a machine proves for whom it acts.
--
-- The key is the id, a dot and a secret; of the secret only the SHA-256 is here. It is 256 random bits, so there
-- is nothing to guess. Ended rows stay until they are purged, and until every process has learned of it.

create table api_keys (
    id           uuid primary key,
    user_id      uuid not null references users (id) on delete cascade,
    name         varchar(100) not null,
    scopes       text[] not null check (cardinality(scopes) > 0),
    secret_hash  varchar(64) not null,
    expires_at   timestamptz,
    last_used_at timestamptz,                 -- to about a minute: processes remember a key that long
    version      integer not null default 1,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    deleted_at   timestamptz
);

-- The order in which a user's keys are listed.
create index api_keys_of_user on api_keys (user_id, created_at, id) where deleted_at is null;
-- What lately ended, for the other processes, and what ended long enough ago to be erased.
create index api_keys_ended on api_keys (deleted_at) where deleted_at is not null;

create view active_api_keys as
select id, user_id, name, scopes, expires_at, last_used_at, version, created_at, updated_at
from api_keys
where deleted_at is null;
