-- Users and books belong to other services: no foreign key crosses services.
create table loans (
    id         uuid primary key,
    book_id    uuid not null,
    user_id    uuid not null,
    title      varchar(200) not null,
    due_on     date not null,
    version    integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create index loans_by_created on loans (created_at, id);
create index loans_by_user on loans (user_id, created_at, id);
