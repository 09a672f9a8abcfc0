-- The filter by status, newest first as lists are by default: of a million orders the few that are pending are
-- read in their order (see docs/decisions/0006-what-lists-cost.md). orders_by_status stays for sort=status.
create index orders_by_status_created on orders (status, created_at, id);
