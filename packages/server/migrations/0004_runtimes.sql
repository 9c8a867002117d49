-- Packages that a tenant's programs may use: a name, and versions that never change. An image is the agent's, by its digest.
create table runtimes (
  tenant text not null references tenants (id),
  name text not null,
  language text not null,
  current integer not null,
  created_at timestamptz not null default now(),
  primary key (tenant, name)
);

create table runtime_versions (
  tenant text not null,
  name text not null,
  version integer not null,
  image text not null,
  lock_sha256 text not null,
  lock text not null,
  packages json not null,
  request json not null, -- what was asked for: an update without another asks for it again
  files integer not null,
  bytes bigint not null,
  built_at timestamptz not null,
  created_at timestamptz not null default now(),
  created_by text not null,
  primary key (tenant, name, version),
  foreign key (tenant, name) references runtimes (tenant, name) on delete cascade
);
create index runtime_versions_image on runtime_versions (image);

-- NAME@VERSION of the runtime that a program had. Null: the interpreter's own packages.
alter table runs add column runtime text;
alter table sessions add column runtime text;
alter table sessions add column image text;
