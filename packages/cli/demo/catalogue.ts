import type { Attack } from "./attack.ts";
import { difyAttacks } from "./attacks/dify.ts";

/** Every attack of the demo, in the order of the table. */
export const ATTACKS: readonly Attack[] = [...difyAttacks];
