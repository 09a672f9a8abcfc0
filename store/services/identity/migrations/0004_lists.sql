-- `q`, which looks into name and email without regard to case (see docs/decisions/0006-what-lists-cost.md).
--
-- pg_trgm is part of PostgreSQL's contrib and trusted: the owner of a database may create it. It cuts text into
-- pieces of three letters, so that an index finds a text in the middle of another.
create extension if not exists pg_trgm;

-- Over the deleted too: PostgreSQL takes no statistics from an index over a part, and without them it would use
-- this one for words that everybody has.
create index users_search on users using gin (lower(name) gin_trgm_ops, lower(email) gin_trgm_ops);
