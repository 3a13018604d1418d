-- What a connection was seen to do: the attributes that came, the tokens of v2, and when requests were sent.

create table personio.attribute_profile (
  connection_id text,
  attribute text,
  -- On how many of the records of the newest complete read it came.
  records bigint not null,
  of_records bigint not null,
  first_seen_at timestamptz,
  -- The newest complete read that had it; null where it never came.
  last_seen_at timestamptz,
  -- Since when it has been absent everywhere, though it had come before.
  withdrawn_since timestamptz,
  primary key (connection_id, attribute)
);

alter table personio.connection_state
  add column sealed_token_v2 text,
  add column token_v2_expires_at timestamptz,
  add column token_v2_fingerprint text;

-- One row a request, numbered: the limits look at the one that was sent so many requests ago, however large they are.
create unlogged table personio.request_log (
  connection_id text,
  bucket text,
  number bigint,
  sent_at timestamptz not null,
  primary key (connection_id, bucket, number)
);
alter table personio.request_windows add column sent bigint not null default 0;

-- Gives the next request its moment, first come, first served, and says how many milliseconds that is from now. It counts against each bucket that
-- is named, its own before the shared one. Where the wait is longer than `max_wait_ms`, nothing is reserved.
-- The windows are a little wider than Personio's, since clocks and networks are not exact.
create function personio.reserve_request(
  of_connections text[], buckets text[], per_second integer[], per_minute integer[], max_wait_ms integer
) returns integer language plpgsql as $$
declare
  paused timestamptz;
  sent_before bigint[] := '{}';
  counted bigint;
  now_at timestamptz;
  free_at timestamptz;
  wait_ms integer;
begin
  for i in 1 .. cardinality(buckets) loop
    insert into personio.request_windows (connection_id, bucket) values (of_connections[i], buckets[i]) on conflict do nothing;
    select sent, greatest(paused, paused_until) into counted, paused from personio.request_windows
    where connection_id = of_connections[i] and bucket = buckets[i] for update;
    sent_before := sent_before || counted;
  end loop;
  now_at := clock_timestamp();
  free_at := greatest(now_at, paused);
  for i in 1 .. cardinality(buckets) loop
    select greatest(free_at, max(sent_at + case number
        when sent_before[i] - per_minute[i] then interval '61 seconds'
        when sent_before[i] - per_second[i] then interval '1100 milliseconds' end))
    into free_at from personio.request_log
    where connection_id = of_connections[i] and bucket = buckets[i]
      and number in (sent_before[i] - per_minute[i], sent_before[i] - per_second[i]);
  end loop;
  -- In its own bucket nobody overtakes, and a second's requests are spread over it: sent at once, those that arrive late would meet the next second's.
  select greatest(free_at, max(sent_at) + interval '1100 milliseconds' / per_second[1]) into free_at from personio.request_log
  where connection_id = of_connections[1] and bucket = buckets[1] and number = sent_before[1] - 1;
  wait_ms := round(extract(epoch from free_at - now_at) * 1000);
  if wait_ms > max_wait_ms then
    return wait_ms;
  end if;
  for i in 1 .. cardinality(buckets) loop
    insert into personio.request_log (connection_id, bucket, number, sent_at) values (of_connections[i], buckets[i], sent_before[i], free_at);
    delete from personio.request_log
    where connection_id = of_connections[i] and bucket = buckets[i] and number < sent_before[i] - greatest(per_minute[i], per_second[i]);
    update personio.request_windows set sent = sent_before[i] + 1 where connection_id = of_connections[i] and bucket = buckets[i];
  end loop;
  return wait_ms;
end
$$;
