import { PlastronError } from "@plastron/contracts";
import { inOrder, type ProblemEntry } from "@plastron/document";
import { namesEnforcer } from "../raw/enforcers.ts";
import { defenseProfile, rawOrders } from "../raw/index.ts";
import { Notes } from "../raw/notes.ts";
import { type Resolvable, resolveRules } from "../rules/resolve.ts";
import { invalid } from "./invalid.ts";

/**
 * What the shape of a document cannot say: sections that its mode needs, names of rules, and everything in raw rules. Throws one
 * PlastronError invalid_policy with all faults, in the order of their lines.
 */
export function checkMeaning(policy: Resolvable): void {
  const faults = meaningFaults(policy);
  if (faults.length > 0) throw invalid(inOrder(faults));
}

/** The same, as a list. */
export function meaningFaults(policy: Resolvable): ProblemEntry[] {
  const checks = [checkModes, checkProxyPorts, resolveRules, defenseProfile, (given: Resolvable) => rawOrders(given, { cluster: null })];
  return checks.flatMap((check) => faultsOf(() => check(policy)));
}

function faultsOf(check: () => unknown): ProblemEntry[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!(error instanceof PlastronError)) throw error;
    return error.errors ?? [{ path: "", message: error.message }];
  }
}

/** As upstream's webhook: a mode without its section protects nothing. */
function checkModes(policy: Resolvable): void {
  const { mode, enforcer, enhanceProtect, defenseInDepth, modelingOptions } = policy.spec.policy;
  const notes = new Notes(policy);
  const missing = (field: string) => notes.wrong("spec.policy.mode", `mode ${mode} needs ${field}, which is missing`);
  if (mode === "EnhanceProtect" && !enhanceProtect) missing("enhanceProtect with its rules");
  if (mode === "DefenseInDepth" && !defenseInDepth) missing("defenseInDepth with its profiles");
  if (mode === "BehaviorModeling" && !modelingOptions) missing("modelingOptions with its duration");
  if (mode === "DefenseInDepth" && namesEnforcer(enforcer, "BPF"))
    notes.wrong("spec.policy.enforcer", "the mode DefenseInDepth has no BPF profile: leave BPF out");
  if (mode === "BehaviorModeling" && namesEnforcer(enforcer, "NetworkProxy")) {
    notes.wrong("spec.policy.enforcer", "the mode BehaviorModeling does not work with NetworkProxy: leave it out");
  }
  notes.finish();
}

/** Upstream's defaults, which the two ports must not share either. */
function checkProxyPorts(policy: Resolvable): void {
  const { proxyPort = 15_001, proxyAdminPort = 15_000 } = policy.spec.policy.networkProxyConfig ?? {};
  const notes = new Notes(policy);
  if (proxyPort === proxyAdminPort) notes.wrong("spec.policy.networkProxyConfig", "proxyPort and proxyAdminPort must differ");
  notes.finish();
}
