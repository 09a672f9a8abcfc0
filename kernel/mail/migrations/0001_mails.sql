-- Mails that a service has to send, or has sent. One copy in the database of every service: a mail is
-- written in the transaction that makes it due, so it goes out exactly when that committed.
create schema if not exists ashlar;

create table ashlar.mails (
    id          uuid primary key,      -- a UUIDv7, and in the Message-ID: a mail that was sent twice is known as one
    recipient   text not null,
    -- What to say. The text is made when it is sent, so that a link in it is written down nowhere.
    template    text not null,
    data        jsonb not null,
    created_at  timestamptz not null,
    -- From then on it says nothing of use, and is not sent any more.
    expires_at  timestamptz not null,
    tries       integer not null default 0,
    -- Null once it is settled, well or badly. A process that sends it moves this on first: should it die
    -- meanwhile, the mail is due again then.
    next_try_at timestamptz,
    sent_at     timestamptz,
    last_error  text,
    constraint mails_settled_when_sent check (sent_at is null or next_try_at is null)
);

create index mails_due on ashlar.mails (next_try_at) where next_try_at is not null;
