-- Gives leave to send one request now (0), or says in how many milliseconds to ask again. One round trip, one row lock: the limits
-- hold over all workers of a connection. The windows are a little wider than Personio's, since clocks and networks are not exact.
create function personio.take_request(
  of_connection text, of_bucket text, per_second integer, per_minute integer
) returns integer language plpgsql as $$
declare
  now_at timestamptz;
  kept timestamptz[];
  held personio.request_windows%rowtype;
  within_second integer;
  free_at timestamptz;
begin
  insert into personio.request_windows (connection_id, bucket) values (of_connection, of_bucket) on conflict do nothing;
  select * into held from personio.request_windows where connection_id = of_connection and bucket = of_bucket for update;
  now_at := clock_timestamp();
  if held.paused_until > now_at then
    return ceil(extract(epoch from held.paused_until - now_at) * 1000);
  end if;
  select coalesce(array_agg(sent order by sent), '{}') into kept from unnest(held.recent) as sent where sent > now_at - interval '61 seconds';
  select count(*) into within_second from unnest(kept) as sent where sent > now_at - interval '1100 milliseconds';
  if cardinality(kept) >= per_minute then
    free_at := kept[cardinality(kept) - per_minute + 1] + interval '61 seconds';
  end if;
  if within_second >= per_second then
    free_at := greatest(free_at, kept[cardinality(kept) - per_second + 1] + interval '1100 milliseconds');
  end if;
  if free_at > now_at then
    return greatest(1, ceil(extract(epoch from free_at - now_at) * 1000));
  end if;
  update personio.request_windows set recent = kept || now_at where connection_id = of_connection and bucket = of_bucket;
  return 0;
end
$$;
