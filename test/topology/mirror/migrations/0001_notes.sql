-- Both services of the mirror have the same table, so that what lands in the wrong database shows.
create table notes (
  place integer generated always as identity primary key,
  words text not null
);
