import type { NetworkRules } from "@plastron/contracts";

/** Everything is denied and recorded as rule 0. */
export const network: NetworkRules = { default_action: "deny", default_rule: 0, addresses: [], http: [], mitm: { domains: [], mutations: [] }, denied: [] };
