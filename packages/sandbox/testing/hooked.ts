import { createHash } from "node:crypto";
import { type Confinement, NO_RULES, type WatchedRule } from "@plastron/contracts";
import { assembleHooks, type HookRules } from "@plastron/policy";

type Connect = HookRules["connects"][number];

/** One destination that a test denies, or only observes. */
export const destination = (cidr: string | null, ...ports: [number, number][]): Connect => ({ rule: 0, cidr, ports, deny: true, report: true });

/** `base` (no rules at all, or what is given) with these destinations on its cgroup. One rule, `egress`, is behind all of them. */
export function hooked(connects: readonly Connect[], more: Partial<HookRules> = {}, base: Omit<Confinement, "id"> = NO_RULES): Confinement {
  const rule: WatchedRule = { id: "egress", path: "spec.egress", enforcer: "BPF", operation: "network", subject: "" };
  const hooks = assembleHooks({ connects, sockets: [], binds: [], devices: false, ...more });
  const content = { ...base, policy: "hooked", rules: [rule], hooks };
  return { ...content, id: createHash("sha256").update(JSON.stringify(content)).digest("hex") };
}

/** The same, let through and recorded. */
export const observed = (connects: readonly Connect[]): Confinement => hooked(connects.map((each) => ({ ...each, deny: false })));
