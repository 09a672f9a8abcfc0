-- Lists of everything, the deleted included, which admins may ask for, were reading the whole table: the indexes
-- of the living knew nothing of them. One index now serves both, with the deleted of the last 90 days too many in it.
create index users_list_created on users (created_at, id);
create index users_list_name on users (name, id);
create index users_list_email on users (email, id);
create index users_list_roles on users using gin (roles);
drop index users_created, users_name, users_email, users_roles;
