create table invoices (
    id         uuid primary key,
    series     varchar(10) not null,
    number     integer not null,
    status     text not null check (status in ('draft', 'sent', 'paid')),
    customer   json not null,
    lines      json not null,
    currency   char(3) not null,
    due_on     date not null,
    note       varchar(1000),
    owner_id   uuid not null,
    total      numeric(15, 2) not null,
    version    integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz
);

-- Unique among the living: the number of a deleted invoice can be used again.
create unique index invoices_series_number_key on invoices (series, number) where deleted_at is null;

create index invoices_by_created on invoices (created_at, id) where deleted_at is null;
create index invoices_by_owner on invoices (owner_id, created_at, id) where deleted_at is null;
create index invoices_by_number on invoices (number, id) where deleted_at is null;
create index invoices_by_due on invoices (due_on, id) where deleted_at is null;
create index invoices_by_total on invoices (total, id) where deleted_at is null;
