-- What was changed that somebody may have cached. A mark is written in the transaction that makes the
-- change, so that neither exists without the other; every process reads the marks and forgets what they name.
create schema if not exists ashlar;

create table ashlar.cache_marks (
  -- The transaction that made the change. A number from a sequence would not do: it is drawn before the
  -- commit, so a lower one can appear after a higher one was read. A snapshot tells which are still open.
  xid xid8 primary key default pg_current_xact_id(),
  tags text[] not null
-- Rows live for minutes; the index must not fill with the dead.
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- How far the marks are gone. Who has not looked for longer than that may have missed some, and forgets
-- everything. No clock decides, so that it does not matter what the clocks of the processes say.
create table ashlar.cache_horizon (
  only_row boolean primary key default true check (only_row),
  -- Names the database in a store that it may share with others, whose transactions have other numbers.
  database uuid not null default gen_random_uuid(),
  -- Marks of transactions below this were deleted.
  pruned_below xid8 not null,
  -- What the next pruning deletes: all that was over at the last one.
  prunable_below xid8 not null,
  moved_at timestamptz not null default now()
);

insert into ashlar.cache_horizon (pruned_below, prunable_below) values (pg_current_xact_id(), pg_current_xact_id());
