-- oldest schema: 0009
-- outside a transaction
-- Indexes for what would scan a table that grows with time. Older workers may run beside it, and nobody waits for them.

-- Erasing a person.
drop index concurrently if exists personio.attendance_periods_by_person;
create index concurrently attendance_periods_by_person on personio.attendance_periods (connection_id, employee_id);

-- Runs that have not ended.
drop index concurrently if exists personio.sync_runs_open;
create index concurrently sync_runs_open on personio.sync_runs (started_at) where outcome is null;
