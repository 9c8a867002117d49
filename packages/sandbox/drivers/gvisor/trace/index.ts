import type { Box } from "../../local/box.ts";
import { GuestAccount } from "./account.ts";

const accounts = new WeakMap<Box, GuestAccount>();

/**
 * Counts the messages of this guest's kernel from now on; a run's are those between `begin` and `end`. Every box of this driver is
 * followed from its making on (source.ts).
 */
export function followTrace(box: Box): void {
  const account = new GuestAccount();
  box.onTrace = (payload) => account.feed(payload);
  accounts.set(box, account);
}

export const traceOf = (box: Box): GuestAccount => accounts.get(box) as GuestAccount;
