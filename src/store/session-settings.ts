/**
 * Sets what our statements and parsers rely on, whatever the database or the role prescribes: dates as ISO 8601,
 * moments in UTC, the default search path and isolation. A limit for statements that others set would end a commit
 * halfway again and again; one that this program asks for stays.
 *
 * The server looks whether we are still there, and ends what a lost worker has begun: otherwise its locks would keep
 * the next attempt waiting for hours. Some systems cannot look at a connection while they work on a statement. A
 * shorter limit for idle transactions that others set stays.
 */
export const SESSION_SETTINGS = `
  select
    set_config('DateStyle', 'ISO, YMD', false),
    set_config('TimeZone', 'UTC', false),
    set_config('IntervalStyle', 'postgres', false),
    set_config('standard_conforming_strings', 'on', false),
    set_config('search_path', '"$user", public', false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('tcp_keepalives_idle', '30', false),
    set_config('tcp_keepalives_interval', '10', false),
    set_config('tcp_keepalives_count', '3', false),
    set_config('tcp_user_timeout', '60000', false),
    (
      select count(set_config(name, case name when 'client_connection_check_interval' then '2s' else '2min' end, false))
      from pg_settings
      where (name = 'client_connection_check_interval' and version() ~* '-(linux|darwin|freebsd)')
        or (name = 'idle_in_transaction_session_timeout' and setting = '0')
    ),
    (
      select count(set_config(name, '0', false))
      from pg_settings
      where name in ('statement_timeout', 'transaction_timeout')
        and source in ('database', 'user', 'database user', 'global', 'configuration file')
    )`;
