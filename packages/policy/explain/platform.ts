import { globMatches } from "@plastron/contracts";
import type { FileIntent, Part } from "../lower/part.ts";
import { ALL_FAMILIES, FAMILIES } from "../seccomp/families.ts";
import type { Call } from "./call.ts";
import { missingCapability } from "./capabilities.ts";
import { type Cause, platformCause } from "./explanation.ts";
import { refuses, speaksOf } from "./filter.ts";
import { below, isWritablePlace } from "./paths.ts";

const PERMISSIVE = "only where the operator runs Plastron with --permissive can a policy lift this (privileged, allowViolations or AlwaysAllow)";
const NEVER = "the platform's floor lies under every policy, and none lifts this";
const ELSEWHERE = "write below /workspace or /tmp; every sandbox's root is read-only";
const NO_SHARED = "nothing in /dev/shm is ever executable: start it from /workspace or /tmp";
const OTHERS = "no sandbox gets at files of proc and sys that tell of the host, whatever its policy";
const MEMORY = "a program gets at the memory of its own processes only";
const WITHOUT = "every sandbox runs without capabilities";

/** What of every sandbox, whatever its policy, denies the call. `floor`: whether its filter refuses it. */
export function platformCauses(call: Call, floor: readonly Part[], filtered: boolean): Cause[] {
  return [...(filtered ? [filterCause(call, floor)] : []), ...pathCauses(call, floor), ...capabilityCauses(call)];
}

function filterCause(call: Call, floor: readonly Part[]): Cause {
  const part = floor.find(({ demands }) => refuses(demands.denials ?? [], call)) ?? null;
  const liftable = ALL_FAMILIES.some((family) => speaksOf(FAMILIES[family], call));
  const cause = platformCause(part?.order.rule ?? "floor-system-calls", liftable ? PERMISSIVE : NEVER, part);
  return { ...cause, enforcer: part === null ? "Seccomp" : cause.enforcer };
}

function pathCauses(call: Call, floor: readonly Part[]): Cause[] {
  const { path, permissions, denial } = call;
  if (denial.errno === "EROFS") return [platformCause("floor-read-only-root", ELSEWHERE)];
  if (path === null || denial.errno !== "EACCES") return [];
  const named = (part: Part): boolean => part.order.intents.some((each) => each.kind === "file" && intentCovers(each, call, path));
  const memory = floor.find(({ order }) => order.rule === "floor-process-memory");
  if (memory && named(memory)) return [platformCause("floor-process-memory", MEMORY, memory)];
  if (below(path, "/sys") || (below(path, "/proc") && !/^\/proc\/(\d+|self|thread-self)(\/|$)/.test(path)))
    return [platformCause("floor-kernel-files", OTHERS)];
  if (below(path, "/dev/shm") && permissions.includes("exec")) return [platformCause("floor-shared-memory", NO_SHARED)];
  const writes = permissions.includes("write") || permissions.includes("append");
  return writes && !isWritablePlace(path) && denial.to === null ? [platformCause("floor-read-only-root", ELSEWHERE)] : [];
}

function intentCovers({ glob, permissions }: FileIntent, call: Call, path: string): boolean {
  return globMatches(glob, path) && call.permissions.some((each) => permissions.includes(each));
}

function capabilityCauses(call: Call): Cause[] {
  return missingCapability(call) === null ? [] : [platformCause("floor-capabilities", WITHOUT)];
}
