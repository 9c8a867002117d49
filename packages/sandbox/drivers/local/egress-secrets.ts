import { randomBytes } from "node:crypto";
import type { PlacedSecret, SecretGrant } from "@plastron/contracts";

/** Of letters, digits and hyphens, which no program has to escape anywhere, and never the same in two sandboxes. */
const placeholder = (): string => `plastron-secret-${randomBytes(16).toString("hex")}`;

/**
 * What stands for a sandbox's secrets: its programs get it by their environment, the egress process puts the secret in its place.
 * The secret itself is never here.
 */
export function placeSecrets(grants: readonly SecretGrant[]): { secrets: PlacedSecret[]; environment: Record<string, string> } {
  const placed = grants.map(({ env, ...grant }) => ({ env, secret: { ...grant, placeholder: placeholder() } }));
  return { secrets: placed.map(({ secret }) => secret), environment: Object.fromEntries(placed.map(({ env, secret }) => [env, secret.placeholder])) };
}
