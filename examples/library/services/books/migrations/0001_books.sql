create table books (
    id         uuid primary key,
    title      varchar(200) not null,
    author     varchar(200) not null,
    version    integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create index books_by_created on books (created_at, id);
create index books_by_title on books (title, id);
create index books_by_author on books (author, id);
