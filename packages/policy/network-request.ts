import {
  type Confinement,
  type FidelityRow,
  type HostFacts,
  type NetworkRequest,
  type NetworkRules,
  PlastronError,
  type SecretGrant,
} from "@plastron/contracts";
import { named } from "./confine.ts";
import { hooksOf } from "./lower/hooks.ts";
import { networkWith } from "./lower/network.ts";
import { RuleTable } from "./lower/rule-table.ts";
import { type Allow, faultsOf } from "./network-request-check.ts";
import { requestRows, requestRules } from "./network-request-rules.ts";
import { grantFaults } from "./network-request-secrets.ts";
import type { NetworkSeed } from "./network-seed.ts";
import type { Order } from "./orders/order.ts";

export interface Requested {
  confinement: Confinement;
  /** A row for each entry of the request, and one for all that is not in it. */
  fidelity: FidelityRow[];
}

/**
 * A policy's confinement and what one run asks to reach → the confinement of that run, with an id of its own (ADR 13).
 *
 * A policy without network rules lets a run have what it lists; one with rules is a ceiling, and both must allow. What a policy
 * denies by address holds in any case. Undefined asks for nothing: what the policy gives is there, and `none` takes it away.
 * Errors: `invalid_request` with the path of each fault, `conflict` where the policy closes the way (naming the rule),
 * `tier_unavailable` where this host or tier has none.
 */
export function withNetwork(seed: NetworkSeed, request: NetworkRequest | undefined, grants: readonly SecretGrant[], host: HostFacts): Requested {
  const { network, rules: watched } = seed.confinement;
  if (request === undefined && grants.length === 0) return { confinement: seed.confinement, fidelity: [] };
  if (request === "none" || (request === undefined && network === null)) {
    if (grants.length > 0) throw faulty([{ path: "secrets", message: `a secret is put into requests, and this run has no network: ${NETWORK_HINT}` }]);
    return { confinement: withoutNetwork(seed, host), fidelity: [] };
  }
  requireWay(seed, host);
  const allow = request?.allow ?? null;
  const faults = [...(allow ? faultsOf(allow, seed) : []), ...grantFaults(grants, allow, network)];
  if (faults.length > 0) throw faulty(faults);
  const table = new RuleTable();
  for (const rule of watched) table.add(rule);
  // The policy's rules come first: where both refuse an address, it is the policy's that is named.
  const { denied } = networkWith(NOTHING, seed.orders, table);
  const asked = allow ? asOwnRules(allow, network, table) : (network as NetworkRules);
  const ended = allow ? allow.filter(isLookedInto).flatMap(({ domains }) => domains) : [];
  const mitm = {
    domains: [...new Set([...(network?.mitm.domains ?? []), ...ended, ...grants.flatMap(({ hosts }) => hosts)])],
    mutations: network?.mitm.mutations ?? [],
  };
  const only = allow ? { rule: asked.default_rule as number, allowed: asked.addresses.map(({ cidr, ports }) => ({ cidr: cidr as string, ports })) } : undefined;
  const { id: _id, ...rest } = seed.confinement;
  const confinement = named({
    ...rest,
    network: { ...asked, mitm, denied },
    hooks: allow ? hooksOf(asParts(seed).map(telling), table, host, true, only) : rest.hooks,
    rules: table.rules,
  });
  return { confinement, fidelity: allow ? requestRows(allow, host) : [] };
}

const NOTHING: NetworkRules = { default_action: "deny", default_rule: null, addresses: [], http: [], mitm: { domains: [], mutations: [] }, denied: [] };
const NETWORK_HINT = "name what it may reach in network.allow";

/** Whether the proxy must see inside of TLS to these names. */
const isLookedInto = ({ methods, paths, inspect }: Allow): boolean => inspect || methods.length > 0 || paths.length > 0;

function asOwnRules(allow: readonly Allow[], network: NetworkRules | null, table: RuleTable): NetworkRules {
  const own = requestRules(allow, (rule) => table.add(rule));
  const none = { mitm: { domains: [], mutations: [] }, denied: [] };
  if (!network) return { ...own, ...none };
  const { default_action, default_rule, addresses, http } = network;
  return { ...own, ...none, within: { default_action, default_rule, addresses, http } };
}

function withoutNetwork(seed: NetworkSeed, host: HostFacts): Confinement {
  const { id: _id, ...rest } = seed.confinement;
  if (rest.network === null) return seed.confinement;
  const table = new RuleTable();
  for (const rule of rest.rules) table.add(rule);
  return named({ ...rest, network: null, hooks: hooksOf(asParts(seed), table, host, false), rules: table.rules });
}

const asParts = ({ orders }: NetworkSeed) => orders.map((order) => ({ order }));

/** Every other address is recorded; one that a rule of the policy refuses as well is recorded by that rule's name. */
const telling = ({ order }: { order: Order }) => ({
  order: { ...order, audit: order.audit || (order.deny && order.intents.some(({ kind }) => kind === "connect")) },
});

/** @throws PlastronError tier_unavailable, conflict */
function requireWay({ confinement, closed }: NetworkSeed, host: HostFacts): void {
  if (!host.egress) {
    const why = host.driver === "gvisor" ? "tier 3 (gVisor) gives sandboxes no way out" : `the ${host.driver} driver of this host gives sandboxes no way out`;
    throw new PlastronError("tier_unavailable", `network: ${why}`, {
      hint: "Row `egress` of `plastron doctor` says what is missing; a run with a network needs the local driver (tier 2).",
    });
  }
  if (closed === null) return;
  throw new PlastronError("conflict", `network: the policy ${confinement.policy} denies it by its rule ${closed}`, {
    hint: `Run it under a policy without ${closed}, or without network.`,
  });
}

function faulty(errors: { path: string; message: string }[]): PlastronError {
  const [first] = errors as [{ path: string; message: string }];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return new PlastronError("invalid_request", `${first.path}: ${first.message}${more}`, {
    hint: "docs/guides/reach-one-api.md shows what network.allow and secrets may hold.",
    errors: errors.slice(0, 100),
  });
}
