-- The tables of the test contract.
create table invoices (
    id             uuid primary key,
    series         varchar(20) not null,
    number         integer not null check (number > 0),
    status         text not null check (status in ('draft', 'sent', 'paid', 'void')),
    customer       jsonb not null,           -- nested and always read whole
    lines          jsonb not null,
    tags           text[] not null default '{}',
    due_on         date not null,
    sent_at        timestamptz,
    discount       numeric(15, 2),
    currency       char(3) not null,
    reverse_charge boolean not null,
    note           text,
    approved       boolean not null,
    owner_id       uuid not null,
    remark         text,
    version        integer not null default 1,
    created_at     timestamptz not null,
    updated_at     timestamptz not null,
    deleted_at     timestamptz
);

create unique index invoices_series_number_key on invoices (series, number) where deleted_at is null;
create index invoices_by_created on invoices (created_at, id) where deleted_at is null;

create table reminders (
    id         uuid primary key,
    user_id    uuid not null,
    about      text not null,
    at         timestamptz not null,
    version    integer not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
