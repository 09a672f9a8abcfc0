-- What the lists of products were still reading the whole table for (see docs/decisions/0006-what-lists-cost.md).

-- The filter by currency, newest first as lists are by default.
create index products_by_currency on products (currency, created_at, id) where deleted_at is null;

-- `q`, which looks into name and description without regard to case.
--
-- pg_trgm is part of PostgreSQL's contrib and trusted: the owner of a database may create it. It cuts text into
-- pieces of three letters, so that an index finds a text in the middle of another.
create extension if not exists pg_trgm;

-- The texts lie apart, in lower case: a row that changes is entered anew into every index of its table, products
-- change with every sale, and a long description has hundreds of such pieces.
create table product_texts (
    id          uuid primary key references products (id) on delete cascade,
    name        text not null,
    description text not null
);

insert into product_texts (id, name, description) select id, lower(name), lower(description) from products;

create index product_texts_search on product_texts using gin (name gin_trgm_ops, description gin_trgm_ops);

create function write_product_text() returns trigger language plpgsql as $$
begin
    insert into product_texts (id, name, description)
    values (new.id, lower(new.name), lower(new.description))
    on conflict (id) do update set name = excluded.name, description = excluded.description;
    return null;
end
$$;

-- Only a change that names one of the two: not that of the stock.
create trigger product_texts_written after insert or update of name, description on products
    for each row execute function write_product_text();
