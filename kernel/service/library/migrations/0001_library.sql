-- The tables of the library, a service for the tests of the cache.
create table books (
  id uuid primary key,
  title varchar(100) not null,
  shelf varchar(20) not null,
  shelf_mark varchar(20),
  version integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);

create table loans (
  id uuid primary key,
  book varchar(100) not null,
  user_id uuid not null,
  version integer not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
