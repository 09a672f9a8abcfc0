/** One database for a whole shop, as an expert would lay it out: what is asked for by has an index, and no more. */
export const shopTables = `
  create table users (
    id uuid primary key,
    email varchar(255) not null,
    name text not null,
    roles text[] not null default '{member}',
    password_hash varchar(255) not null,
    version integer not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
  );
  create unique index users_email on users (lower(email));
  create table sessions (
    id uuid primary key,
    user_id uuid not null references users (id),
    token_hash text not null unique,
    expires_at timestamptz not null
  );
  create table products (
    id uuid primary key,
    sku varchar(64) not null unique,
    name varchar(200) not null,
    description text not null,
    price numeric(10, 2) not null,
    currency char(3) not null,
    stock integer not null check (stock >= 0),
    version integer not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
  );
  create table orders (
    id uuid primary key,
    user_id uuid not null,
    status varchar(20) not null,
    total numeric(15, 2) not null,
    currency char(3) not null,
    version integer not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
  );
  create index orders_by_user on orders (user_id, created_at desc, id desc);
  create table order_items (
    order_id uuid not null,
    line smallint not null,
    product_id uuid not null,
    sku varchar(64) not null,
    name varchar(200) not null,
    quantity integer not null,
    unit_price numeric(10, 2) not null,
    primary key (order_id, line)
  );
  create table outbox (
    id uuid primary key,
    type text not null,
    aggregate_id uuid not null,
    data jsonb not null,
    created_at timestamptz not null
  );`;
