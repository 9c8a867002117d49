import type { Intent } from "../../orders/order.ts";

/** What a rule asks for, before anything is said about allowing or denying it. `notes`: where it is read as more, or as less. */
export type Meaning = { intents: Intent[]; notes: string[] } | { unsupported: string };
