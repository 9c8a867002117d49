import { type Cluster, PlastronError, TYPICAL_HOST } from "@plastron/contracts";
import { type ParsedPolicy, parsePolicy } from "../../parse/parse.ts";
import { rawOrders } from "../index.ts";

/** The text of a policy: `rules` is what stands below enhanceProtect, as YAML in flow style or as an object. Rules begin on line 9. */
export function policyText(rules: object | string, more: { enforcer?: string; mode?: string; policy?: object } = {}): string {
  const { enforcer = "AppArmorBPFSeccompNetworkProxy", mode = "EnhanceProtect", policy = {} } = more;
  const extra = Object.entries(policy).map(([key, value]) => `    ${key}: ${JSON.stringify(value)}\n`);
  return `apiVersion: crd.varmor.org/v1beta1
kind: VarmorPolicy
metadata: {name: tried}
spec:
  target: {kind: Pod, name: tried}
  policy:
    enforcer: ${enforcer}
    mode: ${mode}
${mode === "EnhanceProtect" ? `    enhanceProtect: ${typeof rules === "string" ? rules : JSON.stringify(rules)}\n` : ""}${extra.join("")}`;
}

export function parsed(rules: object | string, more: Parameters<typeof policyText>[1] & { upstreamCompat?: boolean } = {}): ParsedPolicy {
  return parsePolicy(policyText(rules, more), { upstreamCompat: more.upstreamCompat ?? false });
}

/** Orders and rows of these rules on a usual host. */
export function rawOf(rules: object | string, more: Parameters<typeof parsed>[1] & { cluster?: Cluster } = {}): ReturnType<typeof rawOrders> {
  return rawOrders(parsed(rules, more), { ...TYPICAL_HOST, cluster: more.cluster ?? null });
}

/** What is wrong with them: `path: message` of each fault. Nothing if they are accepted. */
export function faultsOf(rules: object | string, more: Parameters<typeof parsed>[1] = {}): string[] {
  try {
    parsed(rules, more);
    return [];
  } catch (error) {
    if (!(error instanceof PlastronError)) throw error;
    return (error.errors ?? []).map(({ message }) => message);
  }
}
