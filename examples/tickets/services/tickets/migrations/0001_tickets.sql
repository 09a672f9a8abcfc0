create table shows (
    id         uuid primary key,
    title      varchar(200) not null,
    starts_at  timestamptz not null,
    free_seats integer not null check (free_seats >= 0),
    version    integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create index shows_by_created on shows (created_at, id);
create index shows_by_start on shows (starts_at, id);

create table bookings (
    id         uuid primary key,
    show_id    uuid not null references shows (id),
    name       varchar(100) not null,
    seats      integer not null,
    version    integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create index bookings_by_created on bookings (created_at, id);
create index bookings_by_show on bookings (show_id, created_at, id);
