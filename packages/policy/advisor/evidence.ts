import { globMatches } from "../orders/glob.ts";
import type { Intent, Permission } from "../orders/order.ts";
import * as linux from "../seccomp/constants.ts";
import type { Behavior } from "./behavior.ts";

/** How the workload was seen to do what the rule forbids, as the end of "the workload …"; undefined where it was not. */
export function meets(rule: string, intents: readonly Intent[], behavior: Behavior): string | undefined {
  const hit = behavior.rules?.find((each) => each.rule === rule);
  if (hit) return `was seen to hit it: ${hit.what}`;
  for (const intent of intents) {
    const how = doing(intent, behavior);
    if (how) return how;
  }
  return undefined;
}

/** Whether the profile tells of every kind of thing that these intents are about. */
export function recorded(intents: readonly Intent[], behavior: Behavior): boolean {
  if (behavior.rules !== undefined) return true;
  return intents.length > 0 && intents.every((intent) => behavior[listOf(intent)] !== undefined);
}

function listOf(intent: Intent): keyof Behavior {
  switch (intent.kind) {
    case "file":
    case "file-list":
      return intent.permissions.includes("exec") && intent.permissions.length === 1 ? "executions" : "files";
    case "capability":
      return "capabilities";
    case "socket":
      return "sockets";
    case "connect":
      return "connections";
    case "mount":
    case "ptrace":
    case "syscall":
      return "syscalls";
  }
}

function doing(intent: Intent, behavior: Behavior): string | undefined {
  switch (intent.kind) {
    case "file":
      return fileUse(intent.glob, intent.permissions, behavior);
    case "socket": {
      const used = behavior.sockets?.find((socket) => opens(socket, intent));
      return used && `opens ${[used.family, used.type].filter(Boolean).join(" ")} sockets`;
    }
    case "connect": {
      const [ip] = intent.cidr?.split("/") ?? [];
      const used = behavior.connections?.find((each) => each.ip === ip);
      return used && `connects to ${used.ip}:${used.port}`;
    }
    case "mount":
      return called(intent.flags.includes("umount") ? ["umount2"] : ["mount", "move_mount", "fsopen"], behavior);
    case "ptrace":
      return called(["ptrace", "process_vm_readv", "process_vm_writev"], behavior);
    case "syscall":
      return called(
        intent.entries.flatMap(({ names }) => names.filter((name) => !COMMON.has(name))),
        behavior,
      );
    case "capability":
    case "file-list":
      return undefined;
  }
}

function fileUse(glob: string, permissions: readonly Permission[], behavior: Behavior): string | undefined {
  const file = behavior.files?.find(({ path, permissions: used }) => used.some((each) => permissions.includes(each)) && globMatches(glob, path));
  if (file) return `needs ${file.permissions.join(" and ")} of ${file.path}`;
  const program = permissions.includes("exec") ? behavior.executions?.find((path) => globMatches(glob, path)) : undefined;
  return program && `starts ${program}`;
}

/** Calls that every program makes and that rules judge by their arguments, which profiles do not tell. */
const COMMON = new Set(["clone", "clone3", "socket", "socketpair", "setsockopt", "open", "openat", "creat", "prctl", "setns", "unshare"]);

function called(names: readonly string[], behavior: Behavior): string | undefined {
  const used = behavior.syscalls?.find((name) => names.includes(name));
  return used && `calls ${used}, and it is not known with which arguments`;
}

const FAMILIES: Record<string, number> = {
  unix: linux.AF_UNIX,
  local: linux.AF_UNIX,
  inet: linux.AF_INET,
  inet6: linux.AF_INET6,
  alg: 38,
  netlink: 16,
  packet: 17,
};
const TYPES: Record<string, number> = { stream: linux.SOCK_STREAM, dgram: linux.SOCK_DGRAM, raw: 3, seqpacket: 5 };
const PROTOCOLS: Record<string, number> = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, "ipv6-icmp": 58 };

const named = (table: Record<string, number>, word: string | undefined): number | undefined =>
  table[(word ?? "").toLowerCase().replace(/^(af_|sock_|ipproto_)/, "")];

/** What is not told of a socket could be anything: it counts as meant. */
function opens(socket: NonNullable<Behavior["sockets"]>[number], intent: Intent & { kind: "socket" }): boolean {
  const fits = (wanted: readonly number[], is: number | undefined): boolean => wanted.length === 0 || is === undefined || wanted.includes(is);
  const type = named(TYPES, socket.type);
  const implied = type === TYPES.stream ? 6 : type === TYPES.dgram ? 17 : undefined;
  const family = named(FAMILIES, socket.family);
  if (family === undefined) return false;
  return fits(intent.families, family) && fits(intent.types, type) && fits(intent.protocols, named(PROTOCOLS, socket.protocol) ?? implied);
}
