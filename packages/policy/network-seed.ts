import type { Confinement } from "@plastron/contracts";
import type { Compiled } from "./compile.ts";
import type { Intent, Order } from "./orders/order.ts";
import { AF_INET, SOCK_DGRAM, SOCK_STREAM } from "./seccomp/constants.ts";
import { type Condition, deciding, type Profile } from "./seccomp/profile.ts";

/** What of a compiled policy is needed to give one run a network: small, since a server keeps one for each policy. */
export interface NetworkSeed {
  confinement: Confinement;
  /** Those that programs on the control group are made of, or that hold for addresses. */
  orders: readonly Order[];
  /** The rule that denies sockets or every address, so that a run under this policy can reach nothing; null: none does. */
  closed: string | null;
}

export function networkSeed({ confinement, orders, profile }: Pick<Compiled, "confinement" | "orders" | "profile">): NetworkSeed {
  const kept = orders.filter(({ rule, intents }) => rule === DISKS || intents.some(({ kind }) => kind === "connect" || kind === "capability"));
  return { confinement, orders: kept, closed: closedBy(orders, profile) };
}

/** Its programs come with the others (lower/hooks.ts). */
const DISKS = "disallow-debug-disk-device";

/** What TCP and questions for names begin with. */
const NEEDED: readonly (readonly [call: string, ...args: number[]])[] = [
  ["socket", AF_INET, SOCK_STREAM, 0],
  ["socket", AF_INET, SOCK_DGRAM, 0],
  ["connect", 3, 0, 16],
];

function closedBy(orders: readonly Order[], profile: Profile): string | null {
  const everywhere = orders.find(({ deny, intents }) => deny && intents.some(isEverywhere));
  if (everywhere) return everywhere.rule;
  const refused = NEEDED.find(([call, ...args]) => !passes(profile, call, args));
  if (!refused) return null;
  const [call] = refused;
  const denies = (intent: Intent) =>
    (intent.kind === "socket" && call === "socket") || (intent.kind === "syscall" && intent.entries.some(({ names }) => names.includes(call)));
  const denying = orders.filter(({ deny, intents }) => deny && intents.some(denies));
  return denying.length === 0 ? `a seccomp profile of its own, which does not allow ${call}` : [...new Set(denying.map(({ rule }) => rule))].join(", ");
}

const isEverywhere = (intent: Intent): boolean =>
  intent.kind === "connect" && intent.ports.length === 0 && (intent.cidr === null || intent.cidr === "0.0.0.0/0");

/** Whether the filter lets a call with these small arguments through. */
function passes(profile: Profile, call: string, args: readonly number[]): boolean {
  const entries = profile.entries.filter(({ names, when }) => names.includes(call) && when.every((condition) => holds(condition, args)));
  const { action } = deciding(entries)[0]?.verdict ?? profile.otherwise;
  return action === "allow" || action === "log" || action === "notify";
}

function holds(condition: Condition, args: readonly number[]): boolean {
  const value = BigInt(args[condition.index] ?? 0);
  switch (condition.op) {
    case "eq":
      return value === condition.value;
    case "ne":
      return value !== condition.value;
    case "lt":
      return value < condition.value;
    case "le":
      return value <= condition.value;
    case "gt":
      return value > condition.value;
    case "ge":
      return value >= condition.value;
    case "masked_eq":
      return (value & condition.mask) === condition.value;
    case "any_bits":
      return (value & condition.mask) !== 0n;
  }
}
