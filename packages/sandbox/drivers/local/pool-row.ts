import type { AgentStatus } from "@plastron/contracts";
import type { Pool } from "./pool.ts";
import type { BoxKind } from "./sources.ts";

/** A pool as the agent's status shows it; `tenant` is whose it is, or null where all share it. */
export function poolRow(kind: BoxKind, pool: Pool, tenant: string | null): AgentStatus["pools"][number] {
  return {
    key: kind.confinement.id.slice(0, 12),
    runtime: [kind.runtime, ...kind.imports].join("+"),
    source: pool.source.kind,
    tenant,
    ready: pool.ready,
    starting: pool.starting,
    target: pool.target,
    hits: pool.hits,
    misses: pool.misses,
    rate_per_s: Math.round(pool.rate.value * 10) / 10,
  };
}
