import type { Client, Run } from "../client/client.ts";

/** A policy whose text the person has: a file's, or a stored one's. */
export interface PolicySource {
  name: string;
  text: string;
}

/** The text that a run was under. A key that may not read it, or a policy that is gone, costs the line number only. */
export async function storedSource({ policy }: Pick<Run, "policy">, client: Pick<Client, "getPolicy">): Promise<PolicySource | undefined> {
  if (!policy || policy.version === null) return undefined;
  try {
    const stored = await client.getPolicy(policy.name, { version: policy.version });
    return { name: policy.name, text: stored.yaml };
  } catch {
    return undefined;
  }
}

export interface Placed {
  /** Path → `strict.yaml:14`. Paths that are not in the policy (the floor's) are left out. */
  places: Map<string, string>;
  /** `allowViolations`: what is denied all the same, the platform denies by itself. */
  allows: boolean;
}

/** Where each of these paths stands in the policy, and whether the policy means to deny at all. */
export async function placed(source: PolicySource, paths: Iterable<string>): Promise<Placed> {
  const { parsePolicy } = await import("@plastron/policy");
  const places = new Map<string, string>();
  try {
    const { positions, spec } = parsePolicy(source.text, { upstreamCompat: true });
    for (const path of paths) {
      const place = positions.get(path);
      if (place) places.set(path, `${source.name}:${place.line}`);
    }
    return { places, allows: spec.policy.enhanceProtect?.allowViolations === true };
  } catch {
    return { places, allows: false }; // It ran, so the server reads it; this command line may be older.
  }
}
