-- Forgetting, the head of the chain of decisions, and who may do what.

-- Who was erased stays known by id alone, so that no sync brings the person back.
create table personio.erased_people (
  connection_id text not null,
  employee_id text not null,
  erased_at timestamptz not null default clock_timestamp(),
  primary key (connection_id, employee_id)
);

-- How long the chain is and how it ends, so that missing rows at its end show too. The worker's role cannot write here.
create table personio.decision_chain (
  is_only boolean primary key default true check (is_only),
  decisions bigint not null,
  last_hash text
);
insert into personio.decision_chain (decisions, last_hash)
select count(*), (select hash from personio.decisions order by decision_id desc limit 1) from personio.decisions;

create function personio.note_decision() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update personio.decision_chain set decisions = decisions + 1, last_hash = new.hash;
  return null;
end
$$;
create trigger note_decision after insert on personio.decisions for each row execute function personio.note_decision();

-- Erases one person. The advisory locks are those of the commits: no sync is half-way through while this runs.
create function personio.erase_person(of_connection text, of_employee text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  counts jsonb := '{}';
  touched bigint;
  planned_told text[];
begin
  perform pg_advisory_xact_lock(hashtextextended('personio:' || of_connection || ':attendances', 0));
  perform pg_advisory_xact_lock(hashtextextended('personio:' || of_connection || ':employees', 0));
  insert into personio.erased_people (connection_id, employee_id) values (of_connection, of_employee) on conflict do nothing;

  delete from personio.employees where connection_id = of_connection and employee_id = of_employee;
  get diagnostics touched = row_count;
  counts := counts || jsonb_build_object('employees', touched);
  delete from personio.employee_history where connection_id = of_connection and employee_id = of_employee;
  get diagnostics touched = row_count;
  counts := counts || jsonb_build_object('history', touched);
  delete from personio.attendance_periods where connection_id = of_connection and employee_id = of_employee;
  get diagnostics touched = row_count;
  counts := counts || jsonb_build_object('attendances', touched);
  delete from personio.lifecycle_proposals where connection_id = of_connection and employee_id = of_employee;
  delete from personio.held_people where connection_id = of_connection and employee_id = of_employee;

  -- What is planned goes, unless somebody was told of it: then the bare fact of that delivery stays.
  select coalesce(array_agg(v.event_id), '{}') into planned_told from personio.lifecycle_events v
  where v.connection_id = of_connection and v.employee_id = of_employee and v.state = 'planned'
    and exists (select from personio.deliveries x where x.event_id = v.event_id and x.sent_at is not null);
  delete from personio.deliveries x using personio.lifecycle_events v
  where x.event_id = v.event_id and v.connection_id = of_connection and v.employee_id = of_employee and v.state = 'planned'
    and v.event_id <> all (planned_told);
  delete from personio.lifecycle_events
  where connection_id = of_connection and employee_id = of_employee and state = 'planned' and event_id <> all (planned_told);
  get diagnostics touched = row_count;
  counts := counts || jsonb_build_object('planned', touched);
  update personio.lifecycle_events
  set state = case when state = 'planned' then 'superseded' else state end,
    changes = (select coalesce(jsonb_agg(jsonb_build_object('attribute', change -> 'attribute')), '[]') from jsonb_array_elements(changes) change)
  where connection_id = of_connection and employee_id = of_employee;
  get diagnostics touched = row_count;
  counts := counts || jsonb_build_object('events', touched);
  update personio.deliveries
  set note = null, last_error = null,
    state = case when state in ('waiting', 'sent', 'failed', 'overdue') then 'superseded' else state end
  where connection_id = of_connection and employee_id = of_employee;

  perform personio.blank_staged(of_connection, of_employee);
  return counts;
end
$$;

-- Blanks a person in what runs have staged. The row stays, since its id is counted by the completeness gate.
create function personio.blank_staged(of_connection text, of_employee text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  staged record;
  key text;
  blank text;
begin
  for staged in
    select c.oid::regclass as name, c.oid, r.endpoint
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join personio.sync_runs r on c.relname = r.endpoint || '_' || r.run_id
    where n.nspname = 'personio_staging' and c.relkind = 'r' and r.connection_id = of_connection and r.endpoint in ('employees', 'attendances')
  loop
    key := case staged.endpoint when 'employees' then 'record_id' else 'employee_id' end;
    select string_agg(format('%I = null', attname), ', ') into blank from pg_attribute
    where attrelid = staged.oid and attnum > 0 and not attisdropped and attname not in ('reading', 'chunk', 'seq', 'record_id', key);
    begin
      execute format('update %s set %s where %I = $1', staged.name, blank, key) using of_employee;
    exception when undefined_table then
      -- Its run has just ended.
      null;
    end;
  end loop;
end
$$;

-- Deletes everything of a connection but its secret, which `connections remove` deletes itself, and the decisions about it.
create function personio.erase_connection(of_connection text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  target record;
  touched bigint;
  total bigint := 0;
begin
  for target in
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    where n.nspname = 'personio' and c.relkind = 'r' and a.attname = 'connection_id' and not a.attisdropped and c.relname <> 'connections'
    -- Whatever refers to events goes before them.
    order by c.relname = 'lifecycle_events', c.relname
  loop
    execute format('delete from %s where connection_id = $1', target.name) using of_connection;
    get diagnostics touched = row_count;
    total := total + touched;
  end loop;
  return total;
end
$$;

-- Forgets at most `at_most` rows that are older than `before`, and says how many it were. What is younger than a floor is refused,
-- whoever asks.
create function personio.forget_batch(what text, before timestamptz, at_most integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  touched bigint;
begin
  if before > clock_timestamp() - (case what when 'events' then interval '90 days' else interval '1 day' end) then
    raise exception 'Too young to be forgotten.' using errcode = 'check_violation';
  end if;
  case what
    when 'events' then
      with old as (
        select event_id from personio.lifecycle_events v
        where v.state <> 'planned' and greatest(v.detected_at, v.effective_at) < before
          and not exists (select from personio.deliveries x where x.event_id = v.event_id and x.state in ('waiting', 'sent', 'failed', 'overdue'))
        limit at_most
      ), told as (delete from personio.deliveries x using old where x.event_id = old.event_id)
      delete from personio.lifecycle_events v using old where v.event_id = old.event_id;
    when 'history' then
      delete from personio.employee_history where ctid = any (array(
        select ctid from personio.employee_history where valid_to < before limit at_most));
    when 'people' then
      -- Gone from Personio for as long as history is kept.
      with old as (
        select connection_id, employee_id from personio.employees e
        where e.missing_since < before and not exists (
          select from personio.lifecycle_events v
          where v.connection_id = e.connection_id and v.employee_id = e.employee_id and v.state = 'planned')
        limit at_most
      ), former as (
        delete from personio.employee_history h using old where h.connection_id = old.connection_id and h.employee_id = old.employee_id
      )
      delete from personio.employees e using old where e.connection_id = old.connection_id and e.employee_id = old.employee_id;
    when 'attendances' then
      delete from personio.attendance_periods where ctid = any (array(
        select ctid from personio.attendance_periods where date < before::date limit at_most));
    when 'proposals' then
      delete from personio.lifecycle_proposals where ctid = any (array(
        select ctid from personio.lifecycle_proposals where detected_at < before limit at_most));
    when 'runs' then
      -- What events still refer to stays, and so does the newest success of each endpoint.
      delete from personio.sync_runs where ctid = any (array(
        select r.ctid from personio.sync_runs r
        where r.finished_at < before
          and not exists (select from personio.lifecycle_events v where v.run_id = r.run_id)
          and exists (
            select from personio.sync_runs later
            where later.connection_id = r.connection_id and later.endpoint = r.endpoint and later.started_at > r.started_at
              and later.outcome in ('succeeded', 'braked'))
        limit at_most));
  end case;
  get diagnostics touched = row_count;
  return touched;
end
$$;

-- What analysts may see: no names, no addresses, no raw attributes, no notes of other teams, nothing that opens anything.
create schema personio_read;
create view personio_read.employees as
  select connection_id, employee_id, status, position, department_id, department, team, office, subcompany, supervisor_id, employment_type,
    hire_date, contract_end_date, termination_date, last_working_day, termination_type, weekly_working_hours, cost_centers,
    lifecycle_state, episode, version, first_seen_at, changed_at, missing_since, deleted_at
  from personio.employees;
create view personio_read.employee_history as
  select connection_id, employee_id, status, position, department_id, department, team, office, subcompany, supervisor_id, employment_type,
    hire_date, contract_end_date, termination_date, last_working_day, termination_type, weekly_working_hours, cost_centers,
    lifecycle_state, episode, version, first_seen_at, changed_at, missing_since, deleted_at, valid_from, valid_to
  from personio.employee_history;
create view personio_read.departments as select * from personio.departments;
create view personio_read.time_off_types as select * from personio.time_off_types;
create view personio_read.attendance_periods as
  select connection_id, period_id, employee_id, date, start_time, end_time, break_minutes, status, is_holiday, is_on_time_off, updated_at, changed_at
  from personio.attendance_periods;
create view personio_read.lifecycle_events as
  select event_id, connection_id, employee_id, sequence, class, kind, effective_date, effective_at, time_zone, detected_at, run_id, episode,
    changes, state, superseded_by
  from personio.lifecycle_events;
create view personio_read.deliveries as
  select delivery_id, event_id, connection_id, employee_id, subscriber, purpose, state, attempts, due_at, sent_at, acknowledged_at, deadline_at
  from personio.deliveries;
create view personio_read.sync_runs as select * from personio.sync_runs;

-- Makes the three roles where this user may, and gives them what they need in this database. Returns a sentence where that is not
-- possible, else null. Roles belong to the whole server: another database may be making them at this very moment.
create function personio.grant_roles() returns text language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  name text;
  target text;
begin
  perform pg_advisory_xact_lock(hashtextextended('personio:roles', 0));
  foreach name in array array['personio_sync_worker', 'personio_sync_operator', 'personio_sync_reader'] loop
    begin
      if not exists (select from pg_roles where rolname = name) then
        execute format('create role %I nologin', name);
      end if;
    exception
      when duplicate_object or unique_violation then null;
      when insufficient_privilege then
        return 'The database roles were not made, since this user may not create roles. Have somebody who may run: '
          || 'create role personio_sync_worker; create role personio_sync_operator; create role personio_sync_reader; '
          || '-- and then `personio-sync migrate` again. Until then everything works under this user.';
    end;
  end loop;

  foreach name in array array['personio_sync_worker', 'personio_sync_operator'] loop
    execute format('grant usage on schema personio to %I', name);
    execute format('grant usage, create on schema personio_staging to %I', name);
    execute format('grant select, insert, update on all tables in schema personio to %I', name);
    -- Evidence: written once. Of an event only its course can change, not what it says.
    execute format('revoke update on personio.decisions, personio.lifecycle_events from %I', name);
    execute format('grant update (state, superseded_by, sequence, handed_over_to, due_at, late) on personio.lifecycle_events to %I', name);
    execute format('revoke insert, update on personio.pgmigrations, personio.installation, personio.decision_chain, personio.erased_people from %I', name);
    execute format('revoke insert, update on personio.connections from %I', name);
    -- What HR deletes in Personio goes here too.
    execute format('grant delete on personio.attendance_periods to %I', name);
    -- Who is held is worked out anew by each read, the limits look back a minute, and plans are made anew for other subscribers.
    execute format('grant delete on personio.held_people, personio.request_log, personio.delivery_plans to %I', name);
    execute format('grant execute on function personio.forget_batch(text, timestamptz, integer) to %I', name);
  end loop;
  grant insert, update, delete on personio.connections to personio_sync_operator;
  grant delete on personio.erased_people to personio_sync_operator;
  grant execute on function personio.erase_person(text, text), personio.erase_connection(text) to personio_sync_operator;
  grant usage on schema personio_read to personio_sync_reader;
  grant select on all tables in schema personio_read to personio_sync_reader;
  return null;
end
$$;

revoke execute on function personio.erase_person(text, text), personio.blank_staged(text, text), personio.erase_connection(text),
  personio.forget_batch(text, timestamptz, integer), personio.note_decision(), personio.grant_roles() from public;
select personio.grant_roles();
