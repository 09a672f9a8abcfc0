-- How often somebody gave a wrong password, per account and per device from which the account's owner has
-- signed in. Here and not in memory or a cache: what guards identity must hold across processes and restarts.
--
-- `account` and `device` are keyed hashes (see tries.ts) of an email address, known or not, and of it with a
-- network address: a copy of these tables tells neither who has an account nor where anybody was.

create table sign_in_failures (
    account   bytea primary key,
    failures  integer not null,       -- in a row, since the last success
    retry_at  timestamptz not null,   -- until then no password is looked at
    failed_at timestamptz not null
);

-- What is old goes, and where there is too much, what has the fewest failures.
create index sign_in_failures_by_age on sign_in_failures (failed_at);
create index sign_in_failures_by_count on sign_in_failures (failures, failed_at);

create table known_devices (
    account      bytea not null,
    device       bytea not null,
    last_used_at timestamptz not null,   -- by a sign-in or a refresh
    failures     integer not null,       -- here they count for this device alone
    retry_at     timestamptz not null,
    primary key (account, device)
);

create index known_devices_by_age on known_devices (last_used_at);
