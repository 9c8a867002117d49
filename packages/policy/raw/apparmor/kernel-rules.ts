import type { Intent } from "../../orders/order.ts";
import { CLONE_NEWUSER } from "../../seccomp/constants.ts";
import { anyBits, deny, type Entry, eq } from "../../seccomp/profile.ts";
import { CAPABILITIES } from "../capabilities.ts";
import { PTRACE, type PtracePermission } from "../ptrace.ts";
import { DOMAINS, PROTOCOLS, TYPES } from "../socket-names.ts";
import { socketIntents } from "../sockets.ts";
import type { Meaning } from "./meaning.ts";

/** `capability`, or with the names of some. */
export function capabilityRule(words: string[]): Meaning {
  const unknown = words.find((word) => !CAPABILITIES.includes(word));
  if (unknown !== undefined) return { unsupported: `there is no capability ${JSON.stringify(unknown)}` };
  return { intents: [{ kind: "capability", names: words.length > 0 ? words : CAPABILITIES }], notes: [] };
}

/** `network`, `network inet`, `network inet stream`, `network tcp`. */
export function networkRule(words: string[]): Meaning {
  const unknown = words.find((word) => !Object.hasOwn(DOMAINS, word) && !Object.hasOwn(TYPES, word) && !Object.hasOwn(PROTOCOLS, word));
  if (unknown !== undefined) return { unsupported: `${JSON.stringify(unknown)} is neither a family, a type nor a protocol of sockets` };
  const families = words.slice(0, 1).filter((word) => Object.hasOwn(DOMAINS, word));
  const rest = words.slice(families.length);
  if (rest.length > 1) return { unsupported: "a rule on the network names one family and one type or protocol" };
  const types = rest.filter((word) => Object.hasOwn(TYPES, word));
  const protocols = rest.filter((word) => Object.hasOwn(PROTOCOLS, word));
  return {
    intents: socketIntents(families.length > 0 ? families : "all", types.length > 0 ? types : "all", protocols.length > 0 ? protocols : null),
    notes: [],
  };
}

export function unixRule(words: string[]): Meaning {
  if (words.length > 0) return { unsupported: "what a unix socket is used for, and its address, are not looked at: deny unix alone is enforced" };
  return { intents: socketIntents(["unix"], "all", null), notes: [] };
}

/** `ptrace`, `ptrace trace`, `ptrace (read, trace) peer=…`. */
export function ptraceRule(words: string[]): Meaning {
  const { access, others } = accessOf(words);
  const unknown = access.find((word) => !(PTRACE as readonly string[]).includes(word) && word !== "tracedby");
  const peers = others.filter((word) => /^peer=/.test(word));
  if (unknown !== undefined || peers.length < others.length) return { unsupported: `${JSON.stringify(unknown ?? others[0])} is not read in a rule on ptrace` };
  const permissions = access.map((word) => (word === "tracedby" ? "traceby" : word) as PtracePermission);
  return {
    intents: [{ kind: "ptrace", permissions: permissions.length > 0 ? [...new Set(permissions)] : PTRACE, strict: true }],
    notes: peers.length > 0 ? ["peer is not looked at: it holds whatever the other process is"] : [],
  };
}

/** `userns`: user namespaces must not be made. clone3 is no way round it, since it does not exist in a sandbox. */
export function usernsRule(words: string[]): Meaning {
  if (words.length > 1 || (words[0] ?? "create") !== "create") return { unsupported: `${JSON.stringify(words[0])} is not read in a rule on userns` };
  return { intents: [{ kind: "syscall", entries: [deny("unshare clone", anyBits(0, CLONE_NEWUSER))] }], notes: [] };
}

/** `signal`, `signal send set=(kill, term) peer=…`. What is received from outside cannot be: no process there sees the sandbox. */
export function signalRule(words: string[]): Meaning {
  const { access, others } = accessOf(words);
  const [set = null, ...more] = others.filter((word) => word.startsWith("set=")).map((word) => listed(word.slice(4)));
  const peers = others.filter((word) => word.startsWith("peer="));
  const unknown = access.find((word) => !/^(send|write|w|rw|receive|read|r)$/.test(word)) ?? others.find((word) => !/^(set|peer)=/.test(word));
  if (unknown !== undefined || more.length > 0) return { unsupported: `${JSON.stringify(unknown ?? "set=")} is not read in a rule on signals` };
  if (access.length > 0 && !access.some((word) => /^(send|write|w|rw)$/.test(word))) return { unsupported: "receiving is not refused here, only sending" };
  const odd = set?.find((name) => !Object.hasOwn(SIGNALS, name));
  if (odd !== undefined) return { unsupported: `there is no signal ${JSON.stringify(odd)}` };
  const numbers = set?.map((name) => SIGNALS[name] as number) ?? null;
  const intents: Intent[] = [{ kind: "syscall", entries: sending(numbers) }];
  return { intents, notes: peers.length > 0 ? ["peer is not looked at: no process can be sent them, nor can one send them to itself"] : [] };
}

/** Which argument of each call is the signal. */
const SENDERS = { kill: 1, tkill: 1, tgkill: 2, rt_sigqueueinfo: 1, rt_tgsigqueueinfo: 2, pidfd_send_signal: 1 } as const;

function sending(numbers: readonly number[] | null): Entry[] {
  return Object.entries(SENDERS).flatMap(([call, index]) => (numbers === null ? [deny(call)] : numbers.map((number) => deny(call, eq(index, number)))));
}

const NAMES =
  "hup int quit ill trap abrt bus fpe kill usr1 segv usr2 pipe alrm term stkflt chld cont stop stp ttin ttou urg xcpu xfsz vtalrm prof winch io pwr sys";
const SIGNALS: Readonly<Record<string, number>> = { ...Object.fromEntries(NAMES.split(" ").map((name, i) => [name, i + 1])), exists: 0 };

const listed = (text: string): string[] =>
  text
    .replace(/^\(|\)$/g, "")
    .split(/[\s,"]+/)
    .filter((word) => word !== "");

function accessOf(words: readonly string[]): { access: string[]; others: string[] } {
  const others = words.filter((word) => word.includes("="));
  return { access: words.filter((word) => !word.includes("=")).flatMap(listed), others };
}
