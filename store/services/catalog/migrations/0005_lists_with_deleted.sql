-- Lists of everything, the deleted included, which admins may ask for, were reading the whole table: the indexes
-- of the living knew nothing of them. One index now serves both. The few rows that it holds too many, the deleted
-- of the last 90 days, cost less than a second set of indexes to be kept with every sale.
create index products_list_created on products (created_at, id);
create index products_list_name on products (name, id);
create index products_list_price on products (price, id);
create index products_list_stock on products (stock, id);
create index products_list_currency on products (currency, created_at, id);
create index products_list_sku on products (sku, created_at, id);
drop index products_by_created, products_by_name, products_by_price, products_by_stock, products_by_currency;
