import type { HostFacts, Watch } from "@plastron/contracts";
import { canWatch, type Part } from "./part.ts";
import { operationOf, type RuleTable } from "./rule-table.ts";

type PathList = NonNullable<Watch["lists"]>[number];

/** The lists of all that may be done to files, which the listener holds each call on a path against. */
export function pathLists({ order }: Part, table: RuleTable, host: HostFacts): PathList[] {
  if (!canWatch(host) || (!order.deny && !order.audit)) return [];
  return order.intents.flatMap((intent) => {
    if (intent.kind !== "file-list") return [];
    const allowed = intent.allowed.flatMap(({ glob, permissions }) => {
      const given = permissions.filter((each) => intent.permissions.includes(each));
      return given.length > 0 ? [{ glob, permissions: given }] : [];
    });
    return [{ rule: table.of(order, operationOf(intent)), permissions: [...intent.permissions], deny: order.deny, report: order.audit, allowed }];
  });
}
