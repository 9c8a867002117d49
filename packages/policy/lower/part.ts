import type { FidelityRow, HostFacts, SelfTest } from "@plastron/contracts";
import type { Demands } from "../confine.ts";
import type { Intent, Order } from "../orders/order.ts";

export type FileIntent = Extract<Intent, { kind: "file" }>;

/** One order on its way into a confinement: what it becomes here where it denies, and how true that is. */
export interface Part {
  order: Order;
  /** What holds without anybody looking. */
  demands: Partial<Demands>;
  /** Paths that are decided call by call, since nothing that is put up beforehand covers them. */
  watched: readonly FileIntent[];
  claim: Claim;
}

export type Claim = Pick<FidelityRow, "fidelity" | "mechanism" | "note" | "self_tests"> & {
  /** The kernel keeps it from a sandbox whose floor is lifted, also where the policy lets it pass. */
  held?: true;
  /** Tests of which what is forbidden is recorded where the rule only observes; without it, all of them. */
  observed?: readonly SelfTest[];
  /** Why nothing of it happens in a sandbox that is let do it. */
  withheld?: string;
};

/** Whether the order is a raw rule: it stands for itself, where built-in rules are known by name. */
export const isRaw = ({ rule }: Order): boolean => rule.includes("[") || rule.includes(".");

/** Whether calls can be handed over to a listener: for records, and for rules on paths that a program makes itself. */
export const canWatch = (host: HostFacts): boolean => host.driver === "local" && host.notify;
