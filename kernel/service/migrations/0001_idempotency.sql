-- Answers of requests that carried an Idempotency-Key, written in the transaction of their effect.
create schema if not exists ashlar;

create table ashlar.idempotency_keys (
    scope      bytea primary key,          -- sha256 of caller, method, path and key
    payload    bytea not null,             -- of the payload as canonical JSON, keyed by the key, which is not stored
    status     integer not null,
    headers    jsonb not null,
    body       text not null,              -- the very bytes that were answered
    created_at timestamptz not null,
    expires_at timestamptz not null
);

create index idempotency_keys_expires on ashlar.idempotency_keys (expires_at);
