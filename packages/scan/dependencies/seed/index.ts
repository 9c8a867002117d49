import { compileAdvisories } from "../advisories/compile.ts";
import { type AdvisoryIndex, openIndex } from "../advisories/open.ts";
import { NPM } from "./npm.data.ts";
import { OTHERS } from "./others.data.ts";
import { PYTHON } from "./python.data.ts";
import { osvOf } from "./write.ts";

/** The day on which the seed was written down last. */
const WRITTEN = "2026-11-22T00:00:00.000Z";

let opened: AdvisoryIndex | null = null;

/** The seed as documents of OSV. */
export function seedDocuments(): unknown[] {
  return [...NPM, ...PYTHON, ...OTHERS].map(osvOf);
}

/** What there is before anybody ran `plastron advisories update`: a few well-known weaknesses. Its manifest says that it is a seed. */
export function seedIndex(): AdvisoryIndex {
  if (opened) return opened;
  const documents = seedDocuments();
  const sources = [{ kind: "seed" as const, name: "Plastron's seed", documents: documents.length, newest: WRITTEN }];
  const { manifest, pages } = compileAdvisories(documents, { built_at: WRITTEN, sequence: 0, seed: true, sources });
  opened = openIndex(manifest, (hash) => {
    const page = pages.get(hash);
    if (page === undefined) throw new Error("no such page");
    return page;
  });
  return opened;
}
