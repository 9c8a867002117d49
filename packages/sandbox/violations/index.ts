/** From what a kernel mechanism saw to a Violation of the contract, and how many one run may record. */
export { ViolationTally } from "./tally.ts";
