import { PlastronError } from "@plastron/contracts";
import { nearest } from "@plastron/document";
import type { EnhanceProtect, PolicyDocument } from "../parse/schema.ts";
import { RULES } from "../rules/registry.ts";
import { type Behavior, capabilityName } from "./behavior.ts";
import { type Candidate, type Decision, decide, withoutCovered } from "./decide.ts";
import { ADVISED_ENFORCERS, type AdvisedEnforcer, FEATURES, type Feature } from "./knowledge.ts";
import { type RawAdvice, rawAdvice } from "./raw.ts";

export interface AdviseRequest {
  name: string;
  /** AppArmor, BPF, Seccomp, NetworkProxy, in any case. */
  enforcers: readonly string[];
  /** What the workload needs: `NET_BIND_SERVICE`, `net_raw`. */
  capabilities: readonly string[];
  features: readonly string[];
  behavior: Behavior | null;
}

export interface Advice {
  policy: PolicyDocument;
  /** Every built-in rule, in or out, with its reason; in the order of the documentation. */
  decisions: Decision[];
  raw: RawAdvice[];
}

/**
 * A complete policy for a workload that is described by what it needs, what it is and, where known, what it was seen to do.
 * Violations are audited. Throws PlastronError invalid_request naming unknown enforcers, features and capabilities.
 */
export function advise(request: AdviseRequest): Advice {
  const needs = {
    enforcers: request.enforcers.map((word) => oneOf("enforcer", [...ADVISED_ENFORCERS, "NetworkProxy"], word)),
    features: request.features.map((word) => oneOf("feature", Object.keys(FEATURES), word) as Feature),
    capabilities: request.capabilities.map((word) => oneOf("capability", CAPABILITIES, capabilityName(word))),
    behavior: request.behavior,
  };
  if (needs.enforcers.length === 0) throw invalid("enforcers: name at least one of AppArmor, BPF, Seccomp, NetworkProxy");
  const builtIn = needs.enforcers.filter((name): name is AdvisedEnforcer => name !== "NetworkProxy");
  const decisions = withoutCovered(candidates().map((candidate) => decide(candidate, { ...needs, enforcers: builtIn })));
  const raw = needs.behavior ? rawAdvice(needs.behavior, needs.enforcers) : { rules: {}, advice: [] };
  const policy = document(request.name, needs.enforcers, {
    ...listsOf(decisions),
    ...raw.rules,
    ...(needs.features.includes("privileged-container") ? { privileged: true } : {}),
    auditViolations: true,
  });
  return { policy, decisions, raw: raw.advice };
}

function candidates(): Candidate[] {
  return RULES.flatMap(({ name, category, intents }) => (category === "floor" ? [] : [{ name, category, intents }]));
}

const CAPABILITIES = [...new Set(candidates().flatMap(({ intents }) => intents.flatMap((intent) => (intent.kind === "capability" ? intent.names : []))))];

function listsOf(decisions: readonly Decision[]): Partial<EnhanceProtect> {
  const taken = (category: string): string[] => decisions.filter((each) => each.decision === "in" && each.category === category).map(({ rule }) => rule);
  const [hardeningRules, rules, vulMitigationRules] = [taken("hardeningRules"), taken("attackProtectionRules"), taken("vulMitigationRules")];
  return {
    ...(hardeningRules.length > 0 ? { hardeningRules } : {}),
    ...(rules.length > 0 ? { attackProtectionRules: [{ rules }] } : {}),
    ...(vulMitigationRules.length > 0 ? { vulMitigationRules } : {}),
  };
}

function document(name: string, enforcers: readonly string[], enhanceProtect: EnhanceProtect): PolicyDocument {
  return {
    apiVersion: "crd.varmor.org/v1beta1",
    kind: "VarmorPolicy",
    metadata: { name },
    spec: {
      target: { kind: "Deployment", selector: { matchLabels: { app: name } } },
      policy: { enforcer: enforcers.join(""), mode: "EnhanceProtect", enhanceProtect },
    },
  };
}

function oneOf(what: string, words: readonly string[], word: string): string {
  const found = words.find((each) => each.toLowerCase() === word.trim().toLowerCase());
  if (found) return found;
  const meant = nearest(word, words);
  throw invalid(`there is no ${what} ${JSON.stringify(word.slice(0, 100))}${meant ? `. Did you mean ${JSON.stringify(meant)}?` : ""}`);
}

const invalid = (message: string): PlastronError =>
  new PlastronError("invalid_request", message, { hint: "`plastron policy advise --help` lists enforcers and features." });
