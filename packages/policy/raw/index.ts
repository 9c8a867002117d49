import type { FidelityRow, HostFacts, NetworkRules, WatchedRule } from "@plastron/contracts";
import type { Order } from "../orders/order.ts";
import type { Resolvable } from "../rules/resolve.ts";
import type { Profile } from "../seccomp/profile.ts";

export interface RawOrders {
  orders: Order[];
  /** What no order stands for: a rule without effect, or one that nothing here can enforce. */
  rows: FidelityRow[];
}

/** Every raw rule of `enhanceProtect` as orders, and a row for each that has none. */
export function rawOrders(_policy: Resolvable, _host: HostFacts): RawOrders {
  return { orders: [], rows: [] };
}

export interface RawNetwork {
  /** Null: the policy has none, or its enforcer does not name NetworkProxy (a row says so). */
  rules: NetworkRules | null;
  rows: FidelityRow[];
}

/** `allocate` gives the index of a rule in the confinement's list. `denied` is left empty: the caller knows the connect orders. */
export function networkRules(_policy: Resolvable, _allocate: (rule: WatchedRule) => number): RawNetwork {
  return { rules: null, rows: [] };
}

/** The custom profile of DefenseInDepth, to be laid over the floor (the more severe of both holds). */
export function defenseProfile(_policy: Resolvable): { profile: Profile | null; orders: Order[]; rows: FidelityRow[] } | null {
  return null;
}
