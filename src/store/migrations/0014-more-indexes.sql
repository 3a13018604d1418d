-- oldest schema: 0009
-- More indexes for what would scan a table that grows with time. Older workers may run beside it. These tables are
-- small enough to be indexed within a transaction.

-- The rolling day of the brake, the newest alarms, and `status`.
create index sync_runs_by_end on personio.sync_runs (connection_id, endpoint, finished_at desc);

-- Questions that a complete read replaces.
create index sync_runs_unanswered on personio.sync_runs (connection_id)
where outcome = 'braked' and detail -> 'answered' is null;
create index lifecycle_proposals_by_decision on personio.lifecycle_proposals (connection_id, decision, decided_at);

-- Erasing a person.
create index lifecycle_proposals_by_person on personio.lifecycle_proposals (connection_id, employee_id);
create index deliveries_by_person on personio.deliveries (connection_id, employee_id);

-- Blanks a person in what runs have staged, as in 0006. The runs of the few staging tables are looked up by their ids.
create or replace function personio.blank_staged(of_connection text, of_employee text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  staged record;
  key text;
  blank text;
begin
  for staged in
    select c.oid::regclass as name, c.oid, r.endpoint
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join personio.sync_runs r on c.relname = r.endpoint || '_' || r.run_id
    where n.nspname = 'personio_staging'
      and c.relkind = 'r'
      and r.connection_id = of_connection
      and r.endpoint in ('employees', 'attendances')
      and r.run_id = any (array(
        -- Names of tables have another collation than the index.
        select substring(t.relname from '^(?:employees|attendances)_(.*)$') collate "default"
        from pg_class t join pg_namespace s on s.oid = t.relnamespace
        where s.nspname = 'personio_staging' and t.relkind = 'r'))
  loop
    key := case staged.endpoint when 'employees' then 'record_id' else 'employee_id' end;
    select string_agg(format('%I = null', attname), ', ') into blank from pg_attribute
    where attrelid = staged.oid
      and attnum > 0
      and not attisdropped
      and attname not in ('reading', 'chunk', 'seq', 'record_id', key);
    begin
      execute format('update %s set %s where %I = $1', staged.name, blank, key) using of_employee;
    exception when undefined_table then
      -- Its run has just ended.
      null;
    end;
  end loop;
end
$$;
