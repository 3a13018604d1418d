-- A read is as old as its start: what another read committed after it began is newer than what it has.

-- The start of each attempt to read, by this database's clock. The row goes with the run's staging table.
create table personio.read_starts (
  run_id text not null,
  attempt integer not null,
  -- The first day of a chunk of attendances.
  chunk date,
  connection_id text not null,
  started_at timestamptz not null,
  unique nulls not distinct (run_id, attempt, chunk)
);

-- People who were committed by reads of one person. The commit of a complete read deletes the rows, since its own mark,
-- connection_state.employees_committed_at, covers every read that began before it.
create table personio.refreshed_people (
  connection_id text,
  employee_id text,
  committed_at timestamptz not null,
  primary key (connection_id, employee_id)
);

-- The last commit of each collection, and of each window of attendances.
create table personio.snapshot_commits (
  connection_id text not null,
  endpoint text not null,
  window_start date,
  window_end date,
  run_id text not null,
  committed_at timestamptz not null,
  unique nulls not distinct (connection_id, endpoint, window_start, window_end)
);

-- The worker deletes rows of these tables. The function may have been replaced since 0006, so its present text is
-- extended.
do $$
declare
  present text := pg_get_functiondef('personio.grant_roles()'::regprocedure);
  extended text := replace(present,
    'grant delete on personio.held_people,',
    'grant delete on personio.read_starts, personio.refreshed_people, personio.snapshot_commits, '
    || 'personio.held_people,');
begin
  if extended = present then
    raise exception 'personio.grant_roles does not grant what 0009 extends.';
  end if;
  execute extended;
end
$$;
select personio.grant_roles();
