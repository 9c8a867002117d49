import type { Intent, Order } from "../orders/order.ts";
import { addressOf } from "../rules/probes-raw.ts";
import * as linux from "../seccomp/constants.ts";
import { floorProfile } from "../seccomp/floor.ts";
import { ALLOW, type Condition, deciding, type Entry, fulfilling } from "../seccomp/profile.ts";
import { capabilityCalls } from "./capability-calls.ts";
import { isLoopback, reachesLoopback } from "./loopback.ts";
import { isMoving, isOwn } from "./places.ts";
import { socketEntries } from "./raw/sockets.ts";
import type { Standing } from "./standing.ts";

/** How much of what an order names happens in a sandbox where the policy lets it pass, and in words what keeps the rest. */
export interface Passing {
  passes: "all" | "some" | "none";
  why: string;
}

const FLOOR =
  "what the platform's floor still denies of it does not pass, and a record says DENIED: only an operator who runs Plastron with permissive policies lets pass what the floor can do without";
const HARD = "the hard part of the platform's floor denies some of it, and a record says DENIED: that no operator can lift";
const READ_ONLY = "a change of the read-only root fails all the same, though the record says AUDIT";
const NO_ROUTE = "a sandbox without a network finds no route, though the record says AUDIT";
const NOT_MOUNTING = "without CAP_SYS_ADMIN, which the program does not keep, the kernel refuses it all the same, though the record says AUDIT";

const OWN_MEMORY = "the memory of its own processes, which proc has as files, a program reads without a record";

/** `network`: whether the sandbox has a way out. */
export function passingOf({ intents }: Order, standing: Standing, network: boolean): Passing {
  const each = intents.map((intent) => passingIntent(intent, standing, network));
  const all = (wanted: Passing["passes"]): boolean => each.every(({ passes }) => passes === wanted);
  const why = [...new Set(each.map((one) => one.why).filter((text) => text !== ""))].join("; ");
  return { passes: all("all") ? "all" : all("none") ? "none" : "some", why };
}

function passingIntent(intent: Intent, standing: Standing, network: boolean): Passing {
  switch (intent.kind) {
    case "syscall":
      return byFloor(intent.entries, standing);
    case "socket":
      return byFloor(kindsOf(intent), standing);
    case "ptrace":
      if (!standing.lifted.includes("tracing")) return { passes: "none", why: FLOOR };
      return intent.strict ? { passes: "some", why: OWN_MEMORY } : ALL;
    case "mount":
      if (!standing.lifted.includes("mounts")) return { passes: "none", why: FLOOR };
      return standing.capabilities.includes("sys_admin") ? ALL : { passes: "none", why: NOT_MOUNTING };
    case "capability":
      return byCapabilities(intent.names, standing);
    case "connect":
      if (network || (intent.cidr !== null && isLoopback(addressOf(intent.cidr)))) return ALL;
      return { passes: reachesLoopback(intent.cidr) ? "some" : "none", why: NO_ROUTE };
    case "file-list":
      return { passes: "some", why: READ_ONLY };
    case "file": {
      if (!intent.permissions.includes("write") || isOwn(intent.glob)) return ALL;
      const more = isMoving(intent.glob) || intent.permissions.some((each) => each === "read" || each === "exec");
      return { passes: more ? "some" : "none", why: READ_ONLY };
    }
  }
}

const ALL: Passing = { passes: "all", why: "" };

function byCapabilities(names: readonly string[], standing: Standing): Passing {
  if (names.every((name) => standing.capabilities.includes(name))) return ALL;
  return { passes: byFloor(capabilityCalls(names), standing).passes === "none" ? "none" : "some", why: FLOOR };
}

/** Tries on the floor a call of each kind that the entries name. */
function byFloor(entries: readonly Entry[], { lifted }: Standing): Passing {
  const floor = floorProfile([], lifted);
  const calls = entries.filter(({ verdict }) => !(verdict.action === "errno" && verdict.errno === 38)).flatMap(samplesOf);
  const denied = calls.filter(({ name, words }) => !isAllowed(floor.entries, name, words));
  if (denied.length === 0) return ALL;
  const liftable = floorProfile([], ["mounts", "user-namespaces", "tracing", "bpf", "userfaultfd", "sockets", "roots"]);
  const hard = denied.every(({ name, words }) => !isAllowed(liftable.entries, name, words));
  return { passes: denied.length === calls.length ? "none" : "some", why: hard ? HARD : FLOOR };
}

type Words = readonly bigint[];

/** For each name, calls that the conditions accept: of several bits each by itself, since the floor may refuse one of them. */
function samplesOf({ names, when }: Entry): { name: string; words: Words }[] {
  const words = when.reduce<Words[]>(
    (made, condition) => made.flatMap((each) => choices(condition).map((value) => each.with(condition.index, value))),
    [Array<bigint>(6).fill(0n)],
  );
  return names.flatMap((name) => words.map((each) => ({ name, words: each })));
}

function choices(condition: Condition): bigint[] {
  if (condition.op !== "any_bits") return [fulfilling(condition)];
  return Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit)).filter((bit) => (condition.mask & bit) !== 0n);
}

function isAllowed(entries: readonly Entry[], name: string, words: Words): boolean {
  const speaking = entries.filter((entry) => entry.names.includes(name) && entry.when.every((condition) => holds(condition, words[condition.index] ?? 0n)));
  return deciding(speaking)[0]?.verdict.action === ALLOW.action;
}

/** The floor compares for equality and bits alone. */
function holds(condition: Condition, word: bigint): boolean {
  switch (condition.op) {
    case "any_bits":
      return (word & condition.mask) !== 0n;
    case "masked_eq":
      return (word & condition.mask) === condition.value;
    case "ne":
      return word !== condition.value;
    default:
      return word === condition.value;
  }
}

/** What is left open is tried as programs commonly ask for it, and as few do. */
function kindsOf({ families, types, protocols }: Extract<Intent, { kind: "socket" }>): Entry[] {
  const common = [linux.AF_UNIX, linux.AF_INET, linux.AF_INET6, linux.AF_NETLINK, linux.AF_PACKET];
  const or = (list: readonly number[], otherwise: readonly number[]): readonly number[] => (list.length > 0 ? list : otherwise);
  const onlyUnix = families.length > 0 && families.every((family) => family === linux.AF_UNIX);
  const kinds = { families: or(families, protocols.length > 0 ? [linux.AF_INET, linux.AF_INET6] : common), protocols: or(protocols, [0]) };
  const some = or(types, onlyUnix ? [linux.SOCK_STREAM, linux.SOCK_DGRAM] : [linux.SOCK_STREAM, linux.SOCK_DGRAM, linux.SOCK_RAW]);
  return socketEntries({ kind: "socket", ...kinds, types: some }).map((entry) => ({ ...entry, names: ["socket"] }));
}
