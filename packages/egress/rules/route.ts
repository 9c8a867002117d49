import type { ViolationEvent } from "@plastron/contracts";
import { type Address, showAddress } from "../address/address.ts";
import { isForbidden } from "../address/special.ts";
import type { Names } from "../dns/resolve.ts";
import type { Refusal, Sandbox } from "../sandbox.ts";
import { hintFor } from "./hint.ts";
import { judge, type Subject, type Verdict } from "./judge.ts";

/** Where a program wants to go: a name that we gave an address for, or an address that it has from elsewhere. */
export interface Destination {
  name: string;
  literal: Address | null;
  port: number;
}

export type Route = { allowed: true; addresses: string[] } | { allowed: false; refusal: Refusal };
type What = Pick<Subject, "claims" | "seen">;

export const FORBIDDEN_ADDRESS: Refusal = {
  id: "egress/forbidden-address",
  path: "",
  why: "the address belongs to a private, local or metadata network, or to this host, and no rule that allows names it",
  hint: "To allow it, name the address itself: --allow-net ADDRESS:PORT, or in the policy rules: [{ qualifiers: [allow], cidr: ADDRESS/32 }]",
};
const UNKNOWN_NAME: Refusal = {
  id: "egress/unknown-name",
  path: "",
  why: "the name leads nowhere: the nameservers of this host know no address for it",
  hint: "No rule forbids it: the name is allowed, but the nameservers of this host know no address for it. Look at its spelling, and at the host's DNS.",
  isMissing: true,
};

/**
 * Decides about one connection or request, and records it. The addresses are those that every rule was held against: whoever
 * connects must connect to one of them, and ask for the name no more.
 */
export async function route(sandbox: Sandbox, names: Names, destination: Destination, what: What): Promise<Route> {
  const { name, literal, port } = destination;
  const subject = { name, port, ...what };
  const { rules } = sandbox;
  const event = eventOf(destination, what);
  const deny = (verdict: Verdict): Route => {
    const hint = hintFor(rules, verdict, { name, address: literal, port }, what.seen);
    sandbox.record(verdict, event, hint);
    return { allowed: false, refusal: { ...sandbox.refusalOf(verdict), hint } };
  };
  const refuse = (refusal: Refusal): Route => {
    sandbox.recordRefusal(refusal, event);
    return { allowed: false, refusal };
  };
  /* A name is asked for outside only when that could matter: a question, too, tells somebody something. */
  const first = judge(rules, { ...subject, address: literal });
  if (!first.allowed && !first.needsAddress) return deny(first);
  const { addresses, fixed } = literal ? { addresses: [literal], fixed: false } : await names.resolve(name);
  if (addresses.length === 0) return refuse(UNKNOWN_NAME);
  const judged = addresses.map((address) => ({ address, verdict: judge(rules, { ...subject, address }) }));
  const allowed = judged.filter(({ verdict }) => verdict.allowed);
  const reachable = allowed.filter(({ address }) => fixed || !isForbidden(address, rules.named(port)));
  if (reachable[0]) {
    sandbox.record(reachable[0].verdict, event);
    return { allowed: true, addresses: reachable.map(({ address }) => showAddress(address)) };
  }
  return allowed.length > 0 ? refuse(FORBIDDEN_ADDRESS) : deny((judged[0] as { verdict: Verdict }).verdict);
}

/** Refuses for a reason of the platform's own. */
export function refuse(sandbox: Sandbox, destination: Destination, what: What, refusal: Refusal): Route {
  sandbox.recordRefusal(refusal, eventOf(destination, what));
  return { allowed: false, refusal };
}

/** vArmor's shapes. A name has no address of its own in a sandbox, so that only a literal address is told as one. */
export function eventOf({ name, literal, port }: Destination, { claims, seen }: What): ViolationEvent {
  const isHttp = seen.kind === "http";
  const host = claims[0] || name;
  if (literal && !isHttp && host === name) return { operation: "Network", type: "connect", ip: name, port };
  return { operation: "Network", type: "http", method: isHttp ? seen.method : "", host, path: isHttp ? (seen.paths[0] ?? "") : "", port };
}
