-- What a service tells others, and what it has heard from them. One copy of these tables in the
-- database of every service: a service's outbox and its data commit together, and so do its inbox
-- and the effect of what it heard.

create schema if not exists ashlar;

-- Everything this service announced. Written in the transaction that made it true. Rows stay for
-- the retention period after the last subscriber confirmed, so that people can look.
create table ashlar.outbox (
  -- The order of insertion, which is not the order of commit: a row can appear below a higher one.
  seq bigint generated always as identity primary key,
  -- A uuid of version 7: its order is the order of time, so old rows are found through this index.
  id uuid not null unique,
  type text not null,
  aggregate_id text not null,
  -- The version of the aggregate after the change, where it has one.
  version integer,
  traceparent text,
  data jsonb not null,
  created_at timestamptz not null,
  -- The services that wanted this type when it was emitted. Never changed.
  subscribers text[] not null
);

-- One row for each subscriber that has not confirmed an event yet; confirming deletes it.
-- A table of its own rather than an array in the outbox: a subscriber that is down for a day then
-- costs the others nothing (each reads its own range of the index, not past the whole backlog), and
-- confirming removes a narrow row instead of rewriting a wide one. It has no foreign key: only the
-- purge deletes from the outbox, and it asks here first.
create table ashlar.pending (
  subscriber text not null,
  seq bigint not null,
  aggregate_id text not null,
  primary key (subscriber, seq)
-- Rows live for milliseconds; the index must not fill with the dead.
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Who does a job that only one process may do at a time. The clock of the database decides on
-- expiry, so the clocks of the processes do not matter.
create table ashlar.leases (
  name text primary key,
  holder uuid not null,
  expires_at timestamptz not null
);

-- Events that were dealt with: their effect committed in the same transaction, or they became a
-- dead letter. An event that arrives again finds its row and has no second effect.
create table ashlar.inbox (
  event_id uuid primary key,
  received_at timestamptz not null default now()
);

-- How often a handler refused an event that is still to be dealt with. Outlives the process, so that
-- an event that crashes it is poison too.
create table ashlar.inbox_tries (
  event_id uuid primary key,
  tries integer not null,
  last_error text not null,
  last_tried_at timestamptz not null default now()
);

-- Events given up on, with the reason, and those of the same aggregate that came later: they wait
-- behind it, so that order holds when they are replayed.
create table ashlar.dead_letters (
  event_id uuid primary key,
  -- The order of replay.
  position bigint generated always as identity,
  type text not null,
  aggregate_id text not null,
  envelope jsonb not null,
  reason text not null,
  tries integer not null,
  failed_at timestamptz not null default now(),
  -- Set when somebody asked for a replay; the running service does it and clears this if it fails again.
  replay_requested_at timestamptz
);

create index dead_letters_aggregate on ashlar.dead_letters (aggregate_id, position);
create index dead_letters_replay on ashlar.dead_letters (position) where replay_requested_at is not null;
