import type { Coverage } from "@plastron/contracts";
import type { Settled } from "./options.ts";

/** How old the advisories of a scan are, and what its reader must know of them. Nothing where dependencies are not looked at. */
export async function advisoriesOf({ analysers, advisories }: Settled): Promise<{ advisories: Coverage["advisories"]; notes: string[] }> {
  if (!analysers.includes("dependencies")) return { advisories: null, notes: [] };
  const [{ advisoryNotes, asOf }, { openAdvisories }] = await Promise.all([import("../dependencies/index.ts"), import("../intake/advisories/open.ts")]);
  const index = openAdvisories(advisories);
  const notes = advisoryNotes(index, new Date());
  if (index.damage) return { advisories: null, notes };
  return { advisories: { as_of: asOf(index.manifest), seed: index.manifest.seed }, notes };
}
