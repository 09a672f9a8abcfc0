create table notes (
    id         uuid primary key,
    title      varchar(100) not null,
    body       text not null,
    pinned     boolean not null,
    version    integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

-- One index for each way a list is sorted; the id breaks ties.
create index notes_by_created on notes (created_at, id);
create index notes_by_title on notes (title, id);
