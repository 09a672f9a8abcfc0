create table tasks (
    id         uuid primary key,
    title      varchar(200) not null,
    assignee   varchar(50) not null,
    done_at    timestamptz,
    version    integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create index tasks_by_created on tasks (created_at, id);
