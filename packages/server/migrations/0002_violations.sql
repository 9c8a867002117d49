-- Violations are events of their own kind: data is the record as violations.log has it, and `n`, its number within the run.
-- Unique, so that a flush that is repeated after a lost connection writes none twice; in this order, so that a tenant's list reads it.
create unique index events_violations on events (tenant, subject, ((data->>'n')::integer), at) where type = 'violation';

-- A policy that came with the run itself is named by its text.
alter table runs add column policy_sha256 text;

-- How the text is to be read belongs to the text.
alter table policy_versions add column upstream_compat boolean not null default false;

-- What violations say of the policy (kind, namespace, sha256) and of the driver. Null for sessions of an older version.
alter table sessions add column policy_origin json;
