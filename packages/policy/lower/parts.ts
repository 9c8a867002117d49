import type { HostFacts } from "@plastron/contracts";
import type { Placed } from "../orders/built-in.ts";
import type { Order } from "../orders/order.ts";
import type { Lifted } from "../rules/rule.ts";
import { claimOf } from "./claims.ts";
import type { Claim, Part } from "./part.ts";
import { connectMeasure } from "./raw/connects.ts";
import { rawPart } from "./raw/part.ts";
import type { Standing } from "./standing.ts";

type BuiltIn = Placed & { order: Order };

interface Around {
  /** Whether the sandbox has a way out. */
  network: boolean;
  standing: Standing;
}

/** All orders with what they become here: the policy's before the floor's, whose answer is given where both refuse a call. */
export function partsOf(builtIn: readonly BuiltIn[], raw: readonly Order[], host: HostFacts, { network, standing }: Around): Part[] {
  const isFloor = ({ rule }: Placed): boolean => rule.category === "floor";
  const part = (each: BuiltIn): Part => builtInPart(each, host, { network, standing });
  return [...builtIn.filter((each) => !isFloor(each)).map(part), ...raw.map((order) => rawPart(order, host, network)), ...builtIn.filter(isFloor).map(part)];
}

/** Whether the part of the floor is lifted that this rule of the floor stands for. */
export const isLifted = ({ family }: Placed["rule"], { lifted }: Standing): boolean => family !== null && lifted.includes(family);

function builtInPart({ rule, order }: BuiltIn, host: HostFacts, { network, standing }: Around): Part {
  const lifted = standing.lifted.length > 0 ? rule.lifted : null;
  const claim = lifted ? { ...claimOf(rule, order, host), ...said(lifted), held: true as const } : claimOf(rule, order, host);
  const addressed = network && order.intents.some(({ kind }) => kind === "connect");
  return { order, demands: lifted?.demands ?? rule.demands, watched: rule.watched, claim: addressed ? withNetwork(order, claim, host) : claim };
}

function said({ selfTests, demands: _demands, ...otherwise }: Lifted): Partial<Claim> {
  return { ...otherwise, self_tests: [...selfTests] };
}

/** Without a network rules on addresses hold by themselves; with one they are held by programs, as raw ones are. */
function withNetwork(order: Order, claim: Claim, host: HostFacts): Claim {
  const [intent] = order.intents;
  if (claim.fidelity === "unsupported" || intent?.kind !== "connect") return claim;
  return { ...connectMeasure(intent, order.rule, host, true).claim, ...(host.hooks ? { self_tests: claim.self_tests } : {}) };
}
