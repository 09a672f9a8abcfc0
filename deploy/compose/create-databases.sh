#!/bin/sh
# Run once by the image of PostgreSQL, on an empty volume: a role and a database for each service, closed to the others.
set -eu

create() {
  psql --set ON_ERROR_STOP=1 --username postgres --set role="$1" --set database="$2" --set password="$3" <<'SQL'
create role :"role" login password :'password';
create database :"database" owner :"role";
revoke all on database :"database" from public;
SQL
}

create identity users "$IDENTITY_PASSWORD"
create catalog catalog "$CATALOG_PASSWORD"
create orders orders "$ORDERS_PASSWORD"
