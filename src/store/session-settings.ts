/**
 * Sets what our statements and parsers rely on, whatever the database or the role prescribes: dates as ISO 8601,
 * moments in UTC, the default search path and isolation. A limit for statements that others set would end a commit
 * halfway again and again; one that this program asks for stays.
 */
export const SESSION_SETTINGS = `
  select
    set_config('DateStyle', 'ISO, YMD', false),
    set_config('TimeZone', 'UTC', false),
    set_config('IntervalStyle', 'postgres', false),
    set_config('standard_conforming_strings', 'on', false),
    set_config('search_path', '"$user", public', false),
    set_config('default_transaction_isolation', 'read committed', false),
    (
      select count(set_config(name, '0', false))
      from pg_settings
      where name in ('statement_timeout', 'transaction_timeout')
        and source in ('database', 'user', 'database user', 'global', 'configuration file')
    )`;
