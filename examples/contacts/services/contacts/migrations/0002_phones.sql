-- Version 2 of the API has a list of phones. The table follows the newest version.
alter table contacts add column phones text[] not null default '{}';
update contacts set phones = array[phone] where phone is not null;
alter table contacts drop column phone;
