-- Stock set aside for orders.
--
-- held       taken from the shelf, until the order is placed or `expires_at` passes
-- committed  the order was placed: the stock is sold
-- released   the stock is back; kept, so that a late repetition finds that it is
create table reservations (
    order_id   uuid primary key,
    state      text not null check (state in ('held', 'committed', 'released')),
    -- The lines as they were priced, [{productId, sku, name, quantity, unitPrice, currency}]: they never
    -- change and are always read together.
    lines      jsonb not null,
    expires_at timestamptz not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create index reservations_expiring on reservations (expires_at) where state = 'held';
create index reservations_finished on reservations (updated_at) where state <> 'held';
