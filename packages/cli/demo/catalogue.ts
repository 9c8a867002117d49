import type { Attack } from "./attack.ts";
import { difyAttacks } from "./attacks/dify.ts";
import { exhaustionAttacks } from "./attacks/exhaustion.ts";
import { kernelAttacks } from "./attacks/kernel.ts";
import { leakAttacks } from "./attacks/leaks.ts";
import { namespaceAttacks } from "./attacks/namespaces.ts";
import { privilegeAttacks } from "./attacks/privileges.ts";

/** Every attack of the demo, in the order of the table. */
export const ATTACKS: readonly Attack[] = [...difyAttacks, ...leakAttacks, ...privilegeAttacks, ...namespaceAttacks, ...kernelAttacks, ...exhaustionAttacks];
