import type { Intent, Order } from "../orders/order.ts";
import type { Notes } from "./notes.ts";
import { qualified } from "./qualifiers.ts";
import { DOMAINS, IP_FAMILIES, PROTOCOLS, TYPES } from "./socket-names.ts";

interface SocketRule {
  qualifiers?: string[] | undefined;
  domains?: string[] | undefined;
  types?: string[] | undefined;
  protocols?: string[] | undefined;
}

/** bpfRawRules.network.sockets. `base` is where the list stands. */
export function socketOrders(rules: readonly SocketRule[], base: string, notes: Notes): Order[] {
  return rules.flatMap((rule, i) => {
    const path = `${base}[${i}]`;
    const kind = qualified(rule.qualifiers, path, ["deny", "audit"], notes);
    const domains = named(rule.domains, DOMAINS, `${path}.domains`, "domain", notes);
    const types = named(rule.types, TYPES, `${path}.types`, "type", notes);
    const protocols = named(rule.protocols, PROTOCOLS, `${path}.protocols`, "protocol", notes);
    if (types && protocols) notes.wrong(path, "has both types and protocols: only one of them may be used");
    if (!domains && !types && !protocols) notes.wrong(path, "names neither domains, types nor protocols");
    if (!kind) return [];
    const intents = socketIntents(domains ?? "all", types ?? "all", protocols);
    return [{ rule: `bpfRawRules.network.sockets[${i}]`, path, enforcer: "BPF" as const, deny: kind.deny, audit: kind.audit, intents }];
  });
}

/** `all` of a list is every value, also those without a name: stricter than upstream, whose lists leave some out. */
export function socketIntents(domains: readonly string[] | "all", types: readonly string[] | "all", protocols: readonly string[] | "all" | null): Intent[] {
  const families = domains === "all" ? [] : numbers(domains, DOMAINS);
  if (protocols === null) return [{ kind: "socket", families, types: types === "all" ? [] : numbers(types, TYPES), protocols: [] }];
  const names = protocols === "all" ? Object.keys(PROTOCOLS) : protocols;
  const known = names.map((name) => PROTOCOLS[name]).filter((each) => each !== undefined);
  const ip = families.length === 0 ? IP_FAMILIES : IP_FAMILIES.filter((family) => families.includes(family));
  const implied = ip.length === 0 ? [] : known.map(({ implied }) => implied).filter((type) => type !== null);
  return [
    { kind: "socket", families, types: [], protocols: known.flatMap((each) => each.numbers) },
    ...(implied.length > 0 ? [{ kind: "socket" as const, families: ip, types: implied, protocols: [0] }] : []),
  ];
}

function numbers(names: readonly string[], table: Readonly<Record<string, number>>): number[] {
  return names.map((name) => table[name]).filter((number) => number !== undefined);
}

/** Null: not given, or empty. Names in any case. */
function named(given: readonly string[] | undefined, table: object, path: string, noun: string, notes: Notes): string[] | "all" | null {
  if (!given || given.length === 0) return null;
  const words = given.map((word) => word.toLowerCase());
  for (const [i, word] of words.entries()) {
    if (word === "all" || word === "*" || Object.hasOwn(table, word)) continue;
    notes.wrong(`${path}[${i}]`, `unknown socket ${noun} ${JSON.stringify(given[i])}${notes.meant(word, Object.keys(table))}`);
  }
  return words.includes("all") || words.includes("*") ? "all" : words;
}
