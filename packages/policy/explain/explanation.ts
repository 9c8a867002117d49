import type { Denial, Enforcer, ViolationEvent } from "@plastron/contracts";
import type { Part } from "../lower/part.ts";
import { floorRules } from "../rules/floor.ts";

/** Why a call was denied, in the policy's words. */
export interface Explanation {
  rule_id: string;
  /** Where the rule stands in the policy; `spec.policy.mode` for the platform's floor, which lies under every one. */
  rule_path: string;
  enforcer: Enforcer;
  /** The call in vArmor's shapes. */
  event: ViolationEvent;
  /** What in the policy would allow it, or why nothing does, in words. */
  hint: string;
  by: "policy" | "platform";
  /** The policy asks for a record of this rule, so the driver's own watcher may tell of the same call. */
  recorded: boolean;
  /** A library's own look around that the platform denies to everybody (probes.ts): no violation, whoever made it. */
  isProbe: boolean;
}

export type Explain = (denial: Denial) => Explanation | null;

/** One thing that denies the call by itself. A call may have several: all of them would have to go. */
export interface Cause {
  rule: string;
  path: string;
  enforcer: Enforcer;
  by: Explanation["by"];
  recorded: boolean;
  /** What the rule is about: the event's shape follows it. */
  part: Part | null;
  /** Of the platform's: what would let it pass, or do instead. */
  advice: string;
}

/** The floor's rules stand in no policy; this is where every other record of them says that they do. */
export const FLOOR_PATH = "spec.policy.mode";

export function platformCause(rule: string, advice: string, part: Part | null = null): Cause {
  return { rule, path: FLOOR_PATH, enforcer: part?.order.enforcer ?? "BPF", by: "platform", recorded: part?.order.audit ?? false, part, advice };
}

/** Every name that a denial by the platform itself may have: the floor's rules, and what every sandbox is made of besides. */
export const PLATFORM_RULES: readonly string[] = [...floorRules.map(({ name }) => name), "floor-read-only-root", "floor-shared-memory", "floor-capabilities"];
