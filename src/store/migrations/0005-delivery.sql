-- What the rules of delivery need to know of each row.

-- Tries in a row that Temporal did not accept, from which the next wait is worked out.
alter table personio.deliveries add column refusals integer not null default 0;
-- A try is under way, or its worker was killed: whether Temporal accepted it is not known yet.
alter table personio.deliveries add column trying_since timestamptz;

-- Which subscribers the planned events of a connection have rows for: one that is added later gets its own at once.
create table personio.delivery_plans (
  connection_id text primary key,
  fingerprint text not null,
  applied_at timestamptz not null
);
