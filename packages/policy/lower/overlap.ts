import type { Order } from "../orders/order.ts";
import type { Entry } from "../seccomp/profile.ts";
import { capabilityCalls } from "./capability-calls.ts";
import type { Part } from "./part.ts";

/**
 * The rule that has the records of all that this one names; null where it has records of its own. One call is one record: of what
 * decides, and then of the first that wants to hear of it. `parts` in the order in which they are laid over the floor.
 */
export function overlapOf(part: Part, parts: readonly Part[]): string | null {
  const own = callsMeant(part);
  const before = parts.slice(0, parts.indexOf(part)).filter(({ order }) => order.audit);
  const rivals = [...parts.filter(({ order }) => order.deny && !isFloor(order)), ...before].filter((rival) => rival !== part);
  if (own.length > 0) {
    const first = (call: Entry) => rivals.find((rival) => callsHeard(rival).some((entry) => covers(entry, call)));
    const found = own.map(first);
    return found.every((each) => each !== undefined) ? (found[0]?.order.rule ?? null) : null;
  }
  const wanted = part.order.intents.map(text);
  const rival = rivals.find(({ order }) => wanted.length > 0 && wanted.every((words) => order.intents.some((intent) => text(intent) === words)));
  return rival?.order.rule ?? null;
}

/** The floor's own records never take a rule's. */
const isFloor = ({ rule }: Order): boolean => rule.startsWith("floor-");

/** One entry for each name. */
const single = (entries: readonly Entry[]): Entry[] => entries.flatMap((entry) => entry.names.map((name) => ({ ...entry, names: [name] })));

const callsHeard = ({ order, demands }: Part): Entry[] => [...(demands.denials ?? []), ...order.intents.flatMap(callsOf)];

/** What the rule means where its words are calls; what it is carried out by where they are not. */
function callsMeant({ order, demands }: Part): Entry[] {
  const words = order.intents.flatMap(callsOf);
  return single(words.length > 0 ? words : (demands.denials ?? [])).filter(({ verdict }) => !(verdict.action === "errno" && verdict.errno === 38));
}

function callsOf(intent: Order["intents"][number]): readonly Entry[] {
  if (intent.kind === "syscall") return intent.entries;
  return intent.kind === "capability" ? capabilityCalls(intent.names) : [];
}

function covers(entry: Entry, { names, when }: Entry): boolean {
  const given = when.map(text);
  return names.every((name) => entry.names.includes(name)) && entry.when.every((condition) => given.includes(text(condition)));
}

const text = (meant: Entry["when"][number] | Order["intents"][number]): string =>
  JSON.stringify(meant, (_, value) => (typeof value === "bigint" ? String(value) : value));
