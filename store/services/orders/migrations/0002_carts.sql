-- One cart per user. The version counts changes; the row stays when the cart is emptied.
create table carts (
    user_id    uuid primary key,
    version    integer not null default 1,
    updated_at timestamptz not null
);

-- Name and price are those of the moment the item was put in: shown only when the product is gone.
create table cart_items (
    user_id    uuid not null references carts (user_id) on delete cascade,
    product_id uuid not null,
    quantity   integer not null check (quantity between 1 and 999),
    sku        varchar(64) not null,
    name       varchar(200) not null,
    unit_price numeric(10, 2) not null,
    currency   char(3) not null,
    added_at   timestamptz not null,
    primary key (user_id, product_id)
);
