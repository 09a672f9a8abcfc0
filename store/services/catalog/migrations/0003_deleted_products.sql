-- What was deleted, the longest ago first: the order in which it is erased.
create index products_deleted on products (deleted_at) where deleted_at is not null;
