import type { HostFacts } from "@plastron/contracts";
import { compilePolicy } from "../compile.ts";
import type { Explain } from "./explanation.ts";

/** By the platform alone: for runs whose policy cannot be read any more. */
export function explainFloor(host: HostFacts): Explain {
  return compilePolicy(FLOOR_ALONE, { ...host, permissive: false }).explain;
}

const FLOOR_ALONE: Parameters<typeof compilePolicy>[0] = {
  ...{ apiVersion: "crd.varmor.org/v1beta1", kind: "VarmorClusterPolicy", metadata: { name: "floor" } },
  spec: { target: { kind: "Pod", selector: { matchLabels: {} } }, policy: { enforcer: "BPFSeccomp", mode: "AlwaysAllow" } },
};
