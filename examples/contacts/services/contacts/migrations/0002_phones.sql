-- Version 2 of the API has a list of phones. While processes that know one phone run beside those that know the list,
-- each writes its own column, and the trigger writes the other.
alter table contacts add column phones text[] not null default '{}';
update contacts set phones = array[phone] where phone is not null;

create function contacts_phones() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' and new.phone is not null then
        new.phones := array[new.phone];
    elsif tg_op = 'UPDATE' and new.phone is distinct from old.phone then
        new.phones := array_remove(array[new.phone], null) || new.phones[2:];
    else
        new.phone := new.phones[1];
    end if;
    return new;
end $$;

create trigger contacts_phones before insert or update on contacts for each row execute function contacts_phones();
