-- What runs under a policy in mode BehaviorModeling were seen to do. Another version in that mode begins anew; in other modes it stays.
create table policy_behaviors (
  tenant text not null references tenants (id),
  name text not null,
  version integer not null,
  profile json not null,
  started_at timestamptz not null default now(),
  until timestamptz, -- null: for as long as the policy stays in that mode
  skipped integer not null default 0, -- runs that were not recorded completely, or not at all
  skipped_why text,
  updated_at timestamptz not null default now(),
  primary key (tenant, name)
);
