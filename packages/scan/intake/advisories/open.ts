import { type AdvisoryIndex, damagedIndex, IndexDamaged, seedIndex } from "../../dependencies/index.ts";
import { openPrevious, openStore } from "./store.ts";

/**
 * The advisories of an installation for a scan: what `plastron advisories update` put into `directory`, else the seed. Reads files, never the
 * network. Where what is there was changed or put back, the answer is an index that says so to whoever asks it anything: the seed in its place
 * would hide that.
 */
export function openAdvisories(directory: string | null): AdvisoryIndex {
  try {
    return (directory === null ? null : openStore({ directory })) ?? seedIndex();
  } catch (error) {
    if (error instanceof IndexDamaged) return damagedIndex(error);
    return damagedIndex(new IndexDamaged("manifest", `the advisories cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`));
  }
}

/** What was in use before `plastron advisories update` ran last; the seed where nothing was. */
export function openPreviousAdvisories(directory: string): AdvisoryIndex {
  return openPrevious({ directory }) ?? seedIndex();
}
