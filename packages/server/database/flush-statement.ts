/**
 * One group of records in one statement, which PostgreSQL runs as one transaction: the runs that begin ($1, some of which have
 * ended already), the runs that end ($2), the events of both, and the violations of runs that may still run ($3).
 *
 * It may be repeated after a connection was lost with its outcome unknown: a run is inserted once, ends once, and an event is
 * written only for a row that this very statement changed, or is a violation, which an index keeps single.
 */
export const FLUSH = {
  name: "flush-runs",
  text: `
with begun as (
  insert into runs (id, tenant, server, session_id, key_id, language, policy, policy_version, policy_sha256, confinement, code_sha256,
                    runtime, network, project, artifact, status, created_at, finished_at, result, artifacts, stdout, stderr, problem)
  select id, tenant, server, session_id, key_id, language, policy, policy_version, policy_sha256, confinement, code_sha256,
         runtime, network, project, artifact, status, created_at, finished_at, result, artifacts, decode(stdout, 'base64'), decode(stderr, 'base64'), problem
  from json_to_recordset($1::json) as r(
    id text, tenant text, server text, session_id text, key_id text, language text, policy text, policy_version integer,
    policy_sha256 text, confinement text, code_sha256 text, runtime text, network json, project text, artifact text, status text, created_at timestamptz, finished_at timestamptz, result json,
    artifacts json, stdout text, stderr text, problem json)
  on conflict (id) do nothing
  returning id, tenant, key_id, language, runtime, policy, policy_version, policy_sha256, session_id, project, artifact, status
), ended as (
  update runs set status = r.status, finished_at = r.finished_at, result = r.result, artifacts = r.artifacts,
                  stdout = decode(r.stdout, 'base64'), stderr = decode(r.stderr, 'base64'), problem = r.problem
  from json_to_recordset($2::json) as r(
    id text, status text, finished_at timestamptz, result json, artifacts json, stdout text, stderr text, problem json)
  where runs.id = r.id and runs.status = 'running'
  returning runs.id, runs.tenant, runs.status
)
insert into events (at, tenant, type, subject, data)
select now(), tenant, 'run.admitted', id,
       jsonb_strip_nulls(jsonb_build_object('key', key_id, 'language', language, 'runtime', runtime, 'policy', policy, 'version', policy_version,
                                            'sha256', policy_sha256, 'session', session_id, 'project', project, 'artifact', artifact))
from begun
union all
select at, tenant, 'violation', run, data
from json_to_recordset($3::json) as v(at timestamptz, tenant text, run text, data jsonb)
union all select now(), tenant, 'run.finished', id, jsonb_build_object('status', status) from begun where status <> 'running'
union all select now(), tenant, 'run.finished', id, jsonb_build_object('status', status) from ended
on conflict do nothing`,
};
