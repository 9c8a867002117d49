import type { Box } from "../../local/box.ts";
import { GuestAccount } from "./account.ts";

export type { GuestAccount } from "./account.ts";
export { LIMITED } from "./account.ts";

const accounts = new WeakMap<Box, GuestAccount>();

/** From now on the messages of this guest's kernel are counted; a run's are those between `begin` and `end`. */
export function followTrace(box: Box): void {
  const account = new GuestAccount();
  box.onTrace = (payload) => account.feed(payload);
  accounts.set(box, account);
}

export const traceOf = (box: Box): GuestAccount | undefined => accounts.get(box);
