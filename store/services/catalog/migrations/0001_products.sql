-- Products and what can be sold of them now.
--
-- `stock` is already reduced by reservations, and the check makes the promise "never oversold" the
-- database's own: no code path can sell what is not there.
create table products (
    id          uuid primary key,
    sku         varchar(64) not null,
    name        varchar(200) not null,
    description text not null default '',
    price       numeric(10, 2) not null check (price >= 0),
    currency    char(3) not null,
    stock       integer not null default 0 check (stock >= 0),
    version     integer not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    deleted_at  timestamptz
);

-- Unique among the living, so that a deleted product's sku can be used again.
create unique index products_sku_key on products (sku) where deleted_at is null;

-- One index for each way the contract lets a list be sorted; id breaks ties in the same direction.
create index products_by_created on products (created_at, id) where deleted_at is null;
create index products_by_name on products (name, id) where deleted_at is null;
create index products_by_price on products (price, id) where deleted_at is null;
create index products_by_stock on products (stock, id) where deleted_at is null;

-- Columns are named: a view of `select *` would freeze the columns of today.
create view active_products as
    select id, sku, name, description, price, currency, stock, version, created_at, updated_at
    from products
    where deleted_at is null;
