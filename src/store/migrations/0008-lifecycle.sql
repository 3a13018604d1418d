-- Ids of what a person belongs to, so that an office with a new name is no move; what the lifecycle rules remember;
-- the other id of a person who leaves under one and joins under another. Workers of before fail to commit employees
-- beside this: stop them first.
alter table personio.employees
  add column team_id text,
  add column office_id text,
  add column subcompany_id text,
  -- Latest day on which the person was deleted, or the former employment ended.
  add column former_end date,
  -- Of an announced person: employed before in the same episode.
  add column has_started boolean not null default false;
alter table personio.employee_history
  add column team_id text,
  add column office_id text,
  add column subcompany_id text,
  add column former_end date,
  add column has_started boolean not null default false;

create or replace function personio.employees_as_of(connection text, moment timestamptz)
returns setof personio.employees
language sql stable as $$
  select connection_id, employee_id, email, first_name, last_name, preferred_name, status, position, department_id,
    department, team, office, subcompany, supervisor_id, employment_type, hire_date, contract_end_date,
    termination_date, last_working_day, termination_type, weekly_working_hours, cost_centers, attributes,
    absent_attributes, lifecycle_state, episode, version, first_seen_at, changed_at, missing_since, deleted_at,
    announced_start, announced_end, team_id, office_id, subcompany_id, former_end, has_started
  from personio.employee_history
  where connection_id = connection and valid_from <= moment and (valid_to is null or valid_to > moment)
$$;

create or replace view personio_read.employees as
  select connection_id, employee_id, status, position, department_id, department, team, office, subcompany,
    supervisor_id, employment_type, hire_date, contract_end_date, termination_date, last_working_day,
    termination_type, weekly_working_hours, cost_centers, lifecycle_state, episode, version, first_seen_at,
    changed_at, missing_since, deleted_at, team_id, office_id, subcompany_id
  from personio.employees;
create or replace view personio_read.employee_history as
  select connection_id, employee_id, status, position, department_id, department, team, office, subcompany,
    supervisor_id, employment_type, hire_date, contract_end_date, termination_date, last_working_day,
    termination_type, weekly_working_hours, cost_centers, lifecycle_state, episode, version, first_seen_at,
    changed_at, missing_since, deleted_at, valid_from, valid_to, team_id, office_id, subcompany_id
  from personio.employee_history;

-- People who were back before this version, and people who were sent back to onboarding.
update personio.employees as stored
set former_end = (
  select max(events.effective_date)
  from personio.lifecycle_events as events
  where events.connection_id = stored.connection_id
    and events.employee_id = stored.employee_id
    and (events.kind = 'leaver.deleted' or (events.kind = 'leaver.left' and events.episode < stored.episode))
    and events.state = 'due'
)
where stored.episode > 1
  or stored.deleted_at is not null;
update personio.employees as stored
set has_started = true
where stored.lifecycle_state = 'announced'
  and exists (
    select from personio.lifecycle_events as events
    where events.connection_id = stored.connection_id
      and events.employee_id = stored.employee_id
      and events.episode = stored.episode
      and events.rule = 'start-back-to-onboarding'
  );

-- The other id of a person who leaves under one and joins under another.
alter table personio.lifecycle_events add column related_employee_id text;
alter table personio.lifecycle_proposals add column related_employee_id text;
create index employee_history_by_email on personio.employee_history (connection_id, lower(email));
create or replace view personio_read.lifecycle_events as
  select event_id, connection_id, employee_id, sequence, class, kind, effective_date, effective_at, time_zone,
    detected_at, run_id, episode, changes, state, superseded_by, related_employee_id
  from personio.lifecycle_events;

-- Names the other id on events that have none, and changes nothing else of them: what an event says is evidence,
-- which workers may not update. Readers cannot call it, since they may not use this schema.
create function personio.relate_events(of_connection text, event_ids text[], related_ids text[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update personio.lifecycle_events as events
  set related_employee_id = related.employee_id
  from unnest(event_ids, related_ids) as related (event_id, employee_id)
  where events.event_id = related.event_id
    and events.connection_id = of_connection
    and events.related_employee_id is null
$$;
