-- A period is found under its id of v2 whatever its day: the two versions of the API may attribute it to different
-- days.
create index attendance_periods_by_id_v2 on personio.attendance_periods (connection_id, period_id_v2)
where period_id_v2 is not null;
