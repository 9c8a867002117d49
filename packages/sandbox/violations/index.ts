/** From what a kernel mechanism saw to a Violation of the contract, and how many one run may record. */
export { describeRecord } from "./describe.ts";
export { familyName, protocolName, socketTypeName } from "./names.ts";
export { readWatchRecord, type WatchRecord } from "./record.ts";
export { compareActs } from "./same-act.ts";
export { ViolationTally } from "./tally.ts";
