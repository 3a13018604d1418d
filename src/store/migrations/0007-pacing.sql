-- Half the statements of before, for what is asked before each request: rows that are there are not inserted again, and old rows of the log are
-- removed now and then.
create or replace function personio.reserve_request(
  of_connections text[], buckets text[], per_second integer[], per_minute integer[], max_wait_ms integer
) returns integer language plpgsql as $$
declare
  paused timestamptz;
  paused_here timestamptz;
  sent_before bigint[] := '{}';
  counted bigint;
  now_at timestamptz;
  free_at timestamptz;
  wait_ms integer;
begin
  for i in 1 .. cardinality(buckets) loop
    select sent, paused_until into counted, paused_here from personio.request_windows
    where connection_id = of_connections[i] and bucket = buckets[i] for update;
    if not found then
      insert into personio.request_windows (connection_id, bucket) values (of_connections[i], buckets[i]) on conflict do nothing;
      select sent, paused_until into counted, paused_here from personio.request_windows
      where connection_id = of_connections[i] and bucket = buckets[i] for update;
    end if;
    paused := greatest(paused, paused_here);
    sent_before := sent_before || counted;
  end loop;
  now_at := clock_timestamp();
  free_at := greatest(now_at, paused);
  -- The limits look at the request that was sent so many requests ago; the windows are a little wider than Personio's, since clocks and networks are
  -- not exact. In its own bucket nobody overtakes, and a second's requests are spread over it: sent at once, those that arrive late would meet the next second's.
  for i in 1 .. cardinality(buckets) loop
    select greatest(free_at, max(sent_at + case
        when number = sent_before[i] - per_minute[i] then interval '61 seconds'
        when number = sent_before[i] - per_second[i] then interval '1100 milliseconds'
        else interval '1100 milliseconds' / per_second[i] end))
    into free_at from personio.request_log
    where connection_id = of_connections[i] and bucket = buckets[i]
      and (number in (sent_before[i] - per_minute[i], sent_before[i] - per_second[i]) or (i = 1 and number = sent_before[i] - 1));
  end loop;
  wait_ms := round(extract(epoch from free_at - now_at) * 1000);
  if wait_ms > max_wait_ms then
    return wait_ms;
  end if;
  for i in 1 .. cardinality(buckets) loop
    insert into personio.request_log (connection_id, bucket, number, sent_at) values (of_connections[i], buckets[i], sent_before[i], free_at);
    if sent_before[i] % 64 = 0 then
      delete from personio.request_log
      where connection_id = of_connections[i] and bucket = buckets[i] and number < sent_before[i] - greatest(per_minute[i], per_second[i]);
    end if;
    update personio.request_windows set sent = sent_before[i] + 1 where connection_id = of_connections[i] and bucket = buckets[i];
  end loop;
  return wait_ms;
end
$$;

-- Of no use since the request log came.
drop function personio.take_request;
alter table personio.request_windows drop column recent;
