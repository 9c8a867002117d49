-- Tenants, their keys and policies, runs and sessions, and the one table of events.

create table tenants (
  id text primary key check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  created_at timestamptz not null default now()
);
insert into tenants (id) values ('default');

-- `hash` is argon2id of the whole key. A preset key comes from the environment and may have any form.
create table api_keys (
  id text primary key,
  tenant text not null references tenants,
  name text not null,
  scopes text[] not null,
  hash text not null,
  preset boolean not null default false,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index api_keys_by_tenant on api_keys (tenant, id);

-- Every version stays, so that a run's record can name what it ran under. A version without text is a deletion.
create table policy_versions (
  tenant text not null references tenants,
  name text not null,
  version integer not null,
  yaml text,
  created_at timestamptz not null default now(),
  created_by text not null,
  primary key (tenant, name, version)
);

-- Output is bytea since a program may print NUL, which text cannot hold. `result` is json and not jsonb since nobody queries into it.
-- The program itself is not kept: its sha256 is enough to compare.
create table runs (
  id text primary key,
  tenant text not null,
  server text not null,
  session_id text,
  key_id text,
  language text not null,
  policy text not null,
  policy_version integer,
  confinement text not null,
  code_sha256 text not null,
  status text not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  result json,
  artifacts json,
  stdout bytea,
  stderr bytea,
  problem json
);
create index runs_by_tenant on runs (tenant, id desc);
create index runs_by_session on runs (session_id) where session_id is not null;
create index runs_in_progress on runs (server) where status = 'running';

create table sessions (
  id text primary key,
  tenant text not null references tenants,
  language text not null,
  policy text not null,
  policy_version integer,
  confinement json not null,
  limits json not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  closed_at timestamptz,
  close_reason text
);
create index sessions_by_tenant on sessions (tenant, id desc);

-- The answer to a request that carried an Idempotency-Key. `answer` is null while the first one is in progress.
create table idempotency (
  tenant text not null,
  key text not null,
  request_sha256 text not null,
  server text not null,
  status integer,
  answer text,
  created_at timestamptz not null default now(),
  primary key (tenant, key)
);
create index idempotency_by_age on idempotency (created_at);

-- What happened, in order: the source of streams, alerts and the ledger. Append-only, one partition a day.
create sequence events_seq;
create table events (
  seq bigint not null default nextval('events_seq'),
  at timestamptz not null default now(),
  tenant text not null,
  type text not null,
  subject text not null,
  data jsonb not null default '{}'
) partition by range (at);
create index events_by_seq on events (seq);
create index events_by_tenant on events (tenant, seq);
-- Catches what no partition covers (a clock that jumped), so that an event is never the reason that a step fails.
create table events_default partition of events default;

create function events_are_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'events are append-only';
end $$;
-- A row trigger is carried to every partition, a statement trigger is not.
create trigger events_unchanged before update or delete on events for each row execute function events_are_append_only();
create trigger events_kept before truncate on events for each statement execute function events_are_append_only();

-- Makes the partitions of today and the days to come (UTC). Returns how many it made.
create function make_event_partitions(days_ahead integer) returns integer language plpgsql as $$
declare
  day date;
  made integer := 0;
begin
  perform pg_advisory_xact_lock(7300002);
  for day in select generate_series(0, days_ahead) + (now() at time zone 'utc')::date loop
    if to_regclass(format('events_%s', to_char(day, 'YYYYMMDD'))) is null then
      execute format('create table %I partition of events for values from (%L) to (%L)',
        'events_' || to_char(day, 'YYYYMMDD'), day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
      made := made + 1;
    end if;
  end loop;
  return made;
end $$;
select make_event_partitions(7);
