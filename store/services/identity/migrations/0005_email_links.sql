-- Links that are mailed to an address: who opens one has shown that they read what arrives there.
--
-- The token in a link is nowhere. It is a keyed function of the row's id, under a secret of the installation
-- that is not in the database (see links.ts): the mail is made with it when it is sent, and what is presented
-- is looked for by its hash.

create table email_links (
    id         uuid primary key,         -- a UUIDv7
    user_id    uuid not null references users (id) on delete cascade,
    purpose    text not null,
    email      varchar(255) not null,    -- where it was sent; worth nothing once the user has another address
    token_hash bytea not null unique,    -- sha256 of the token, which is 256 bits that nobody can guess
    created_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at   timestamptz,              -- used, replaced by a newer one, or made void by a change of password or email
    constraint email_links_purpose_known check (purpose in ('verify_email', 'reset_password'))
);

-- Whatever the code does, of each kind a user has one link that can be used.
create unique index email_links_in_force on email_links (user_id, purpose) where ended_at is null;
-- How many went out lately, to one address and for one user.
create index email_links_by_email on email_links (lower(email collate "C"), created_at);
create index email_links_by_user on email_links (user_id, created_at);

-- Who asked for a new password, known or not. The request writes this row and nothing else, so it costs
-- the same for an address that nobody has; a job looks who it is and removes the row.
create table password_reset_requests (
    email        varchar(255) primary key,   -- in lower case
    requested_at timestamptz not null
);

create index password_reset_requests_by_age on password_reset_requests (requested_at);
