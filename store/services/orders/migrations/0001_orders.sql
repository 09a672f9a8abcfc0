-- Orders. What was bought never changes, so the items live in the order as JSON: one row is the
-- whole order, read and written in one step.
create table orders (
    id         uuid primary key,
    user_id    uuid not null,              -- a user of the identity service; no foreign key crosses services
    status     varchar(20) not null default 'pending'
               check (status in ('pending', 'confirmed', 'shipped', 'delivered', 'cancelled')),
    items      json not null,              -- json, not jsonb: it keeps the order of keys, so every answer reads the same
    total      numeric(15, 2) not null check (total >= 0),
    currency   char(3) not null,
    -- The specification lets version be null; `null = $2` is never true, so such a row could never be updated.
    version    integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- A customer's history, and one index for each way the contract lets the list be sorted.
create index orders_by_user on orders (user_id, created_at, id);
create index orders_by_created on orders (created_at, id);
create index orders_by_total on orders (total, id);
create index orders_by_status on orders (status, id);
create index orders_open_of_user on orders (user_id) where status = 'pending';

-- Orders that were never placed and never will be: catalog took their stock back.
create table abandoned_orders (
    order_id     uuid primary key,
    abandoned_at timestamptz not null
);
