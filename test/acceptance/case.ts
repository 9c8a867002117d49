import type { Runtime } from "@plastron/contracts";

/** One thing that a program tries. Programs exit 0: it was possible · 13: it was denied (EPERM, EACCES, EROFS) · 14: something else stopped it. */
export interface Attempt {
  what: string;
  programs: Partial<Record<Runtime, string>>;
  /** How it ends where no rule forbids it: 14 where nothing answers at an address in a sandbox without a network. */
  free: 0 | 14;
  /** Denied like the others, but nothing tells that it was the rule's thing: a copy under another name. */
  unrecorded?: true;
}

/**
 * A case of upstream's suites, replayed three times: under AlwaysAllow, under the policy, and under the policy with
 * allowViolations and auditViolations.
 */
export interface Case {
  id: string;
  title: string;
  /** spec.policy without mode; `enhanceProtect` gets the observation flags of the run. */
  enforcer: string;
  enhanceProtect: Record<string, unknown>;
  kind?: "VarmorPolicy" | "VarmorClusterPolicy";
  /** Possible under AlwaysAllow, denied under the policy, possible and recorded in the observing run. */
  denied: Attempt[];
  /** Possible (or stopped by the stated other thing) in all three. */
  control: Attempt[];
  /** What the records name; `null`: by construction, it is denied, or not there, in every run, and nothing is recorded. */
  rule: string | readonly string[] | null;
  /** `operation` of the records. */
  operation?: string;
  /** Rules that let it pass and record it under the policy too (audit without deny). */
  auditOnly?: true;
  files?: Record<string, string>;
}
