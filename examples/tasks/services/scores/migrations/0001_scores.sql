create table scores (
    id         uuid primary key,
    name       varchar(50) not null,
    points     integer not null,
    version    integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create unique index scores_name_key on scores (name);
create index scores_by_created on scores (created_at, id);
create index scores_by_points on scores (points, id);
