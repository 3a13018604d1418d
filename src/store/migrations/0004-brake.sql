-- Who is held now: what each committed read leaves behind for the next one, and what `status` lists.
create table personio.held_people (
  connection_id text,
  employee_id text,
  brake_class text not null,
  -- The events that the question is about; whoever proposes others is a new question.
  event_ids text[] not null,
  -- The run that asks, or whose question was rejected.
  run_id text not null,
  -- When the person was first held for this; of missing people, when they were first missed.
  since timestamptz not null,
  decision text not null check (decision in ('asked', 'rejected')),
  primary key (connection_id, employee_id)
);

alter table personio.lifecycle_proposals
  add column decided_at timestamptz,
  -- Of a preview: whether the brake would hold it.
  add column is_held boolean not null default true;
create index lifecycle_proposals_by_event on personio.lifecycle_proposals (event_id);

-- An approval is for the next complete read that is committed, and for none after it.
alter table personio.connection_state add column employees_committed_at timestamptz;

-- What is planned for one person is asked for each person whom a read concerns.
create index lifecycle_events_planned_by_person on personio.lifecycle_events (connection_id, employee_id) where state = 'planned';
