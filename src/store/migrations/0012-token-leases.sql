-- oldest schema: 0009
-- Who exchanges a token, and until when the others wait: a lease instead of a row lock, which was held over the
-- request to Personio. Older workers may run beside it: they lock the row as before.
alter table personio.connection_state
  add column token_lease_until timestamptz,
  add column token_v2_lease_until timestamptz;
