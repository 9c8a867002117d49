-- What it takes to hold an ended scan's dependencies against other advisories, without its artifact: of the newest scan of each artifact alone.
create table scan_matchables (
  scan text primary key references scans (id) on delete cascade,
  tenant text not null,
  facts bytea not null, -- packed
  said json not null -- what of the result depends on advisories, beside findings
);
alter table scan_matchables alter column facts set storage external;

alter table scans add column advisories text; -- under which advisories, and code, its dependencies were looked at
alter table scans add column matching_until timestamptz; -- a server holds it against others until then, or was killed at it
create index scans_newest on scans (id) where latest;

-- The newest advisories that any server has had. One row: a server with older ones changes nothing.
create table advisories (
  single boolean primary key default true check (single),
  version text not null,
  built_at timestamptz not null,
  seed boolean not null,
  code integer not null,
  seen_at timestamptz not null default now()
);

-- Its exemptions, YAML; what an artifact brings of them never counts.
alter table projects add column exemptions text;
