import type { Finding, ScanResult } from "@plastron/contracts";
import type { Matchable } from "@plastron/scan";
import type { Database } from "../../database/pool.ts";
import { storable } from "../../database/storable.ts";

/** Of one statement. */
const ROWS = 500;

/** The findings of a scan, in the report's order. */
export async function putFindings(tx: Database, tenant: string, scan: string, findings: readonly Finding[]): Promise<void> {
  for (let at = 0; at < findings.length; at += ROWS) {
    const rows = findings.slice(at, at + ROWS).map((finding, i) => rowOf(tenant, scan, at + i, finding));
    await tx.insertInto("findings").values(rows).execute();
  }
}

export async function putMatchable(tx: Database, tenant: string, scan: string, { facts, said }: Matchable): Promise<void> {
  await tx
    .insertInto("scan_matchables")
    .values({ scan, tenant, facts: Buffer.from(facts), said: JSON.stringify(storable(said)) })
    .execute();
}

/** Under which advisories the dependencies were looked at, as their analyser calls itself then; null where it did not look. */
export function advisoriesOf({ coverage }: Pick<ScanResult, "coverage">): string | null {
  return coverage.analysers.dependencies?.version ?? null;
}

export async function tell(tx: Database, tenant: string, type: string, subject: string, data: object): Promise<void> {
  await tx
    .insertInto("events")
    .values({ tenant, type, subject, data: JSON.stringify(data) })
    .execute();
}

function rowOf(tenant: string, scan: string, position: number, finding: Finding) {
  const { fingerprint, rule, analyser, severity, verdict, confidence, state, title, place, aliases, package: affected } = storable(finding);
  const where = { title, path: place.path, package: affected?.name ?? null, names: aliases };
  return { tenant, scan, position, fingerprint, rule, analyser, severity, verdict, confidence, state, ...where, data: JSON.stringify(storable(finding)) };
}
