/** Advisories at the edge: their store on disk, their sources, their mirrors. A scan needs `open.ts` alone, which knows no network. */
export { openAdvisories, openPreviousAdvisories } from "./open.ts";
export { DEFAULT_SOURCES } from "./sources.ts";
export { type AdvisoryStore, openStore, verifyStore } from "./store.ts";
export { count as countAdvisories, type UpdateOptions, updateAdvisories } from "./update.ts";
