-- What the README promises to readers; columns beyond it are the program's own.

create schema if not exists personio_staging;

create table personio.installation (
  is_only boolean primary key default true check (is_only),
  -- Keys the digests in event ids: they tell equal values from different ones, and nothing about them.
  digest_key bytea not null default decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')
);
insert into personio.installation default values;

create table personio.connections (
  connection_id text primary key,
  base_url text not null,
  client_id text not null,
  sealed_secret text not null,
  secret_set_at timestamptz not null,
  last_tested_at timestamptz,
  last_test_outcome text
);

-- What a connection's workers share, whether it is stored or comes from the environment.
create table personio.connection_state (
  connection_id text primary key,
  sealed_token text,
  token_expires_at timestamptz,
  token_fingerprint text,
  baseline_run_id text,
  baseline_at timestamptz,
  employees_collected_at timestamptz
);

create table personio.endpoint_profiles (
  connection_id text,
  endpoint text,
  source text,
  page_size integer not null,
  changed_at timestamptz not null,
  primary key (connection_id, endpoint, source)
);

-- Lost in a crash, and then simply empty: the limits are per minute.
create unlogged table personio.request_windows (
  connection_id text,
  bucket text,
  recent timestamptz[] not null default '{}',
  paused_until timestamptz,
  primary key (connection_id, bucket)
);

create table personio.sync_runs (
  run_id text primary key,
  connection_id text not null,
  endpoint text not null,
  outcome text check (outcome in ('succeeded', 'incomplete', 'failed', 'braked', 'cancelled', 'preview')),
  failure_type text,
  source text,
  window_start date,
  window_end date,
  received bigint not null default 0,
  inserted bigint not null default 0,
  updated bigint not null default 0,
  unchanged bigint not null default 0,
  missing bigint not null default 0,
  held bigint not null default 0,
  requests bigint not null default 0,
  started_at timestamptz not null,
  finished_at timestamptz,
  message text,
  detail jsonb not null default '{}'
);
create index sync_runs_by_endpoint on personio.sync_runs (connection_id, endpoint, started_at desc);

create table personio.employees (
  connection_id text not null,
  employee_id text not null,
  email text,
  first_name text,
  last_name text,
  preferred_name text,
  status text,
  position text,
  department_id text,
  department text,
  team text,
  office text,
  subcompany text,
  supervisor_id text,
  employment_type text,
  hire_date date,
  contract_end_date date,
  termination_date date,
  last_working_day date,
  termination_type text,
  weekly_working_hours text,
  cost_centers jsonb,
  attributes jsonb not null,
  absent_attributes text[] not null,
  lifecycle_state text check (lifecycle_state in ('announced', 'employed', 'on leave', 'leaving', 'left')),
  episode integer not null,
  version integer not null,
  first_seen_at timestamptz not null,
  changed_at timestamptz not null,
  missing_since timestamptz,
  deleted_at timestamptz,
  announced_start date,
  announced_end date,
  primary key (connection_id, employee_id)
);

create table personio.employee_history (
  like personio.employees,
  valid_from timestamptz not null,
  valid_to timestamptz,
  primary key (connection_id, employee_id, valid_from)
);
create unique index employee_history_open on personio.employee_history (connection_id, employee_id) where valid_to is null;

create function personio.employees_as_of(connection text, moment timestamptz) returns setof personio.employees
language sql stable as $$
  select connection_id, employee_id, email, first_name, last_name, preferred_name, status, position, department_id, department, team,
    office, subcompany, supervisor_id, employment_type, hire_date, contract_end_date, termination_date, last_working_day,
    termination_type, weekly_working_hours, cost_centers, attributes, absent_attributes, lifecycle_state, episode, version,
    first_seen_at, changed_at, missing_since, deleted_at, announced_start, announced_end
  from personio.employee_history
  where connection_id = connection and valid_from <= moment and (valid_to is null or valid_to > moment)
$$;

create table personio.departments (
  connection_id text,
  department_id text,
  name text,
  parent_id text,
  source text not null,
  first_seen_at timestamptz not null,
  changed_at timestamptz not null,
  missing_since timestamptz,
  primary key (connection_id, department_id)
);

create table personio.attendance_periods (
  connection_id text,
  period_id text,
  period_id_v2 text,
  employee_id text not null,
  date date not null,
  start_time time,
  end_time time,
  break_minutes integer,
  status text,
  project text,
  is_holiday boolean,
  is_on_time_off boolean,
  updated_at timestamptz,
  changed_at timestamptz not null,
  primary key (connection_id, period_id)
);
create index attendance_periods_by_date on personio.attendance_periods (connection_id, date);

create table personio.time_off_types (
  connection_id text,
  time_off_type_id text,
  name text,
  category text,
  unit text,
  approval_required boolean,
  first_seen_at timestamptz not null,
  changed_at timestamptz not null,
  missing_since timestamptz,
  primary key (connection_id, time_off_type_id)
);

create table personio.lifecycle_events (
  event_id text primary key,
  connection_id text not null,
  employee_id text not null,
  sequence bigint unique,
  class text not null,
  kind text not null,
  effective_date date not null,
  effective_at timestamptz not null,
  time_zone text not null,
  detected_at timestamptz not null,
  run_id text not null,
  episode integer not null,
  changes jsonb not null,
  state text not null check (state in ('planned', 'due', 'superseded')),
  superseded_by text,
  supersedes text,
  due_at timestamptz not null,
  late boolean not null,
  rule text not null,
  -- The id of the Temporal namespace whose employeeLifecycle workflow knows of it.
  handed_over_to text
);
create index lifecycle_events_by_person on personio.lifecycle_events (connection_id, employee_id);
create index lifecycle_events_planned on personio.lifecycle_events (connection_id, due_at) where state = 'planned';

-- The feed's cursor: one row, whose lock makes the order of sequences the order of commits.
create table personio.lifecycle_feed (
  is_only boolean primary key default true check (is_only),
  last_sequence bigint not null
);
insert into personio.lifecycle_feed (last_sequence) values (0);

create table personio.lifecycle_proposals (
  run_id text not null,
  event_id text not null,
  connection_id text not null,
  employee_id text not null,
  sequence bigint,
  class text not null,
  kind text not null,
  effective_date date not null,
  effective_at timestamptz not null,
  time_zone text not null,
  detected_at timestamptz not null,
  episode integer not null,
  changes jsonb not null,
  state text not null,
  superseded_by text,
  supersedes text,
  late boolean not null,
  rule text not null,
  decision text check (decision in ('asked', 'approved', 'rejected', 'replaced')),
  primary key (run_id, event_id)
);

create table personio.decisions (
  decision_id bigint generated always as identity primary key,
  at timestamptz not null,
  actor text not null,
  what text not null,
  subject text not null,
  reason text not null,
  previous_hash text,
  hash text not null
);

create table personio.deliveries (
  delivery_id text primary key,
  event_id text not null references personio.lifecycle_events (event_id),
  connection_id text not null,
  employee_id text not null,
  episode integer not null,
  subscriber text not null,
  purpose text not null check (purpose in ('event', 'notice', 'escalation')),
  state text not null check (state in ('waiting', 'sent', 'acknowledged', 'failed', 'overdue', 'dead', 'superseded')),
  attempts integer not null default 0,
  due_at timestamptz not null,
  late boolean not null,
  first_attempt_at timestamptz,
  -- When it is tried next, after Temporal did not accept it.
  next_attempt_at timestamptz,
  sent_at timestamptz,
  acknowledged_at timestamptz,
  deadline_at timestamptz,
  escalated_at timestamptz,
  note text,
  last_error text
);
create index deliveries_open on personio.deliveries (connection_id, employee_id) where state in ('waiting', 'sent', 'failed', 'overdue');
create index deliveries_by_event on personio.deliveries (event_id);
