-- Nobody knows one phone any more.
drop trigger contacts_phones on contacts;
drop function contacts_phones;
alter table contacts drop column phone;
