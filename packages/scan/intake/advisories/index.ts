import type { AdvisoryIndex } from "../../dependencies/index.ts";
import { seedIndex } from "../../dependencies/index.ts";
import { openStore } from "./store.ts";

/**
 * The advisories of an installation for a scan: what `plastron advisories update` put into `directory`, else the seed. Reads files, never the
 * network. Throws IndexDamaged where what is there was changed: the seed in its place would hide that.
 */
export function openAdvisories(directory: string | null): AdvisoryIndex {
  return (directory === null ? null : openStore({ directory })) ?? seedIndex();
}
