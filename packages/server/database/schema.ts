import type { Limits } from "@plastron/contracts";
import type { Generated, JSONColumnType } from "kysely";

/** The tables of migrations/, as kysely sees them. `runs` and `events` are written by group-commit.ts. */
export interface Schema {
  tenants: { id: string; created_at: Generated<Date> };
  api_keys: {
    id: string;
    tenant: string;
    name: string;
    scopes: string[];
    hash: string;
    preset: Generated<boolean>;
    created_at: Generated<Date>;
    revoked_at: Date | null;
  };
  policy_versions: {
    tenant: string;
    name: string;
    version: number;
    yaml: string | null;
    upstream_compat: Generated<boolean>;
    created_at: Generated<Date>;
    created_by: string;
  };
  runs: {
    id: string;
    tenant: string;
    server: string;
    session_id: string | null;
    key_id: string | null;
    language: string;
    policy: string;
    policy_version: number | null;
    policy_sha256: string | null;
    confinement: string;
    code_sha256: string;
    status: string;
    created_at: Date;
    finished_at: Date | null;
    result: unknown;
    artifacts: unknown;
    stdout: Buffer | null;
    stderr: Buffer | null;
    problem: unknown;
    runtime: string | null;
    network: unknown;
  };
  sessions: {
    id: string;
    tenant: string;
    language: string;
    policy: string;
    policy_version: number | null;
    policy_origin: JSONColumnType<Record<string, unknown>> | null;
    confinement: JSONColumnType<Record<string, unknown>>;
    limits: JSONColumnType<Limits>;
    created_at: Generated<Date>;
    expires_at: Date;
    closed_at: Date | null;
    close_reason: string | null;
    network: JSONColumnType<object> | null;
    runtime: string | null;
    image: string | null;
  };
  runtimes: { tenant: string; name: string; language: string; current: number; created_at: Generated<Date> };
  runtime_versions: {
    tenant: string;
    name: string;
    version: number;
    image: string;
    lock_sha256: string;
    lock: string;
    packages: JSONColumnType<object[]>;
    request: JSONColumnType<object>;
    files: number;
    bytes: number;
    built_at: Date;
    created_at: Generated<Date>;
    created_by: string;
  };
  policy_behaviors: {
    tenant: string;
    name: string;
    version: number;
    profile: JSONColumnType<object>;
    started_at: Date;
    until: Date | null;
    skipped: number;
    skipped_why: string | null;
    updated_at: Date;
  };
  idempotency: {
    tenant: string;
    key: string;
    request_sha256: string;
    server: string;
    status: number | null;
    answer: string | null;
    created_at: Generated<Date>;
  };
  events: {
    seq: Generated<string>;
    tx: Generated<string | null>;
    at: Generated<Date>;
    tenant: string;
    type: string;
    subject: string;
    data: Generated<unknown>;
  };
}
