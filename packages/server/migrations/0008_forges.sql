-- Repositories on a forge and whose they are. Known by the forge's own number: a name can be given to another repository tomorrow.
create table forge_repositories (
  forge text not null check (forge in ('github')),
  repository_id bigint not null,
  repository text not null, -- owner/name, as the forge said it last
  installation bigint not null, -- of the app: another account's may not speak for the repository
  tenant text not null,
  project text not null,
  bound_at timestamptz not null default now(),
  bound_by text not null,
  primary key (forge, repository_id),
  foreign key (tenant, project) references projects (tenant, name) on delete cascade
);
create index forge_repositories_tenant on forge_repositories (tenant, repository);

-- What was acted on. The delivery's number is not signed, its body is: neither comes twice.
create table forge_deliveries (
  forge text not null,
  delivery text not null,
  body_sha256 bytea not null,
  event text not null,
  at timestamptz not null default now(),
  primary key (forge, delivery),
  unique (forge, body_sha256)
);

-- One change on a forge that is judged: a job until it is over, a record then.
create table forge_changes (
  id text primary key,
  tenant text not null references tenants (id),
  project text not null, -- may be gone: the change is judged to its end all the same
  forge text not null,
  repository_id bigint not null,
  repository text not null,
  installation bigint not null,
  line text not null, -- what it is one state of: pull/7, or a branch
  target text, -- the branch that it goes into; null: the default one
  number integer, -- of the pull request
  base text, -- null: nothing was there before
  head text not null,
  delivery text not null,
  status text not null check (status in ('queued', 'running', 'passed', 'denied', 'held', 'failed', 'superseded')),
  tries integer not null default 0,
  server text,
  seen_at timestamptz,
  ready_at timestamptz not null default now(), -- not begun before
  check_run bigint,
  decision json,
  problem json,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz
);
create index forge_changes_tenant on forge_changes (tenant, id desc);
create index forge_changes_queue on forge_changes (created_at) where status in ('queued', 'running');
create index forge_changes_turns on forge_changes (tenant, started_at);
create index forge_changes_line on forge_changes (forge, repository_id, line, id desc);
create index forge_changes_head on forge_changes (forge, repository_id, head); -- what is asked to be judged again
