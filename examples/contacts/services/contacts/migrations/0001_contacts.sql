create table contacts (
    id         uuid primary key,
    name       varchar(100) not null,
    phone      varchar(30),
    version    integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create index contacts_by_created on contacts (created_at, id);
create index contacts_by_name on contacts (name, id);
