-- What tenants upload to be looked at and run. Named by its content; two tenants that upload the same have two, and neither knows.
create table artifacts (
  tenant text not null references tenants (id),
  digest text not null,
  kind text not null,
  name text not null,
  revision text,
  files integer not null,
  bytes bigint not null,
  gaps json not null, -- what intake did not take in
  notes json not null,
  created_at timestamptz not null default now(),
  created_by text not null,
  primary key (tenant, digest)
);

create table artifact_blobs (
  tenant text not null references tenants (id),
  sha256 text not null,
  content bytea not null,
  primary key (tenant, sha256)
);
alter table artifact_blobs alter column content set storage external; -- most is compressed already, or small

create table artifact_files (
  tenant text not null,
  digest text not null,
  key text not null, -- layers and path, as reports name it
  path text not null,
  layers text[] not null,
  size bigint not null,
  sha256 text not null,
  language text not null,
  encoding text not null,
  archive text,
  executable boolean not null,
  primary key (tenant, digest, key),
  foreign key (tenant, digest) references artifacts (tenant, digest) on delete cascade
);
create index artifact_files_blob on artifact_files (tenant, sha256);

-- One look at one artifact: a job until it is done, a record then.
create table scans (
  id text primary key,
  tenant text not null,
  artifact text not null,
  project text,
  analysers text[] not null,
  status text not null check (status in ('queued', 'running', 'complete', 'incomplete', 'failed', 'cancelled')),
  latest boolean not null default false, -- the newest that ended, of its artifact
  tries integer not null default 0,
  server text,
  seen_at timestamptz, -- when its server last said that it works on it
  progress json,
  result json, -- without the findings
  problem json,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  created_by text not null,
  foreign key (tenant, artifact) references artifacts (tenant, digest) on delete cascade
);
create index scans_queue on scans (created_at) where status in ('queued', 'running');
create index scans_turns on scans (tenant, started_at);
create index scans_tenant on scans (tenant, id desc);
create index scans_artifact on scans (tenant, artifact, id desc);

create table findings (
  tenant text not null,
  scan text not null references scans (id) on delete cascade,
  fingerprint text not null,
  position integer not null, -- in the report's order: the most urgent first
  rule text not null,
  analyser text not null,
  severity text not null,
  verdict text not null,
  confidence text not null,
  state text not null,
  title text not null,
  path text not null,
  package text, -- name of what a dependency's finding is about
  names text[] not null, -- CVE, GHSA and others
  data json not null,
  primary key (scan, fingerprint)
);
create index findings_tenant on findings (tenant, scan desc, position);

-- An assistant, plugin or app of a tenant, and what may run for it.
create table projects (
  tenant text not null references tenants (id),
  name text not null,
  admission text not null check (admission in ('open', 'passed')),
  gate text, -- its gate policy, YAML; null: the default
  environment text,
  updated_at timestamptz not null default now(),
  updated_by text not null,
  primary key (tenant, name)
);

-- The newest decision over an artifact for a project.
create table admissions (
  tenant text not null,
  project text not null,
  artifact text not null,
  decision text not null check (decision in ('pass', 'deny', 'hold')),
  reasons json not null,
  policy_sha256 text not null, -- of what it was decided by: another policy needs another decision
  scan text not null,
  valid_until timestamptz, -- when an exemption or the advisories that it leans on are over
  decided_at timestamptz not null default now(),
  primary key (tenant, project, artifact),
  foreign key (tenant, project) references projects (tenant, name) on delete cascade,
  foreign key (tenant, artifact) references artifacts (tenant, digest) on delete cascade
);

-- A key that is bound to a project can do nothing past it.
alter table api_keys add column project text;
alter table runs add column project text;
alter table runs add column artifact text;
