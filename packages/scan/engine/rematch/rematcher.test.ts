import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ScanResult } from "@plastron/contracts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { updateAdvisories } from "../../intake/advisories/index.ts";
import { scanSource } from "../scan.ts";
import { type Matchable, unpacked } from "./matchable.ts";
import { advisoriesInUse, Rematcher } from "./rematcher.ts";

let root: string;
let tree: string;
let builds = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "plastron-rematch-"));
  tree = join(root, "tree");
  for (const [path, content] of Object.entries(TREE)) {
    mkdirSync(join(tree, path, ".."), { recursive: true });
    writeFileSync(join(tree, path), content);
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
let advisories: string;
let made = 0;
beforeEach(() => {
  advisories = join(root, `store-${made++}`);
});

const hashed = (name: string) => ({ integrity: `sha512-${"A".repeat(86)}==`, resolved: `https://registry.example/${name}/-/x.tgz` });
const locked = (packages: Record<string, { version: string; dependencies?: Record<string, string>; dev?: boolean }>) =>
  Object.fromEntries(Object.entries(packages).map(([name, each]) => [`node_modules/${name}`, { ...hashed(name), ...each }]));
/** Names that are more than names to an object. */
const NPM = ["lodash", "left", "right", "constructor", "tostring", "hasownproperty", "deep", "@scope/a"];
const PYPI = ["requests", "flask", "pyyaml"];
const TREE: Record<string, string> = {
  "package.json": JSON.stringify({
    dependencies: { ...Object.fromEntries(NPM.slice(0, 6).map((name) => [name, "*"])), "@scope/a": "*" },
    devDependencies: { asked: "^9.0.0" },
  }),
  "package-lock.json": JSON.stringify(
    {
      lockfileVersion: 3,
      packages: {
        "": { dependencies: Object.fromEntries(NPM.slice(0, 6).map((name) => [name, "*"])) },
        ...locked({
          ...Object.fromEntries(NPM.slice(0, 6).map((name, at) => [name, { version: `1.${at}.0`, dependencies: { deep: "^1.0.0" } }])),
          deep: { version: "1.2.3" },
          "left/node_modules/deep": { version: "1.0.1" },
          "@scope/a": { version: "2.0.0", dev: true },
        }),
      },
    },
    null,
    1,
  ),
  "service/requirements.txt": "requests==2.19.0\nflask>=0.5,<0.9\npyyaml==3.12\n",
  "service/app.py": "import yaml, requests\nrequests.get('http://x.invalid', verify=False)\nyaml.load(open('x'))\n",
  "app.js": 'const _ = require("lodash");\n_.template(process.argv[2]);\nrequire("child_process").exec("ls " + process.argv[3]);\n',
};

/** Numbers that look random, the same for the same seed. */
function dice(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
const VECTORS = [
  "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
  "CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N",
  "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N",
];

/** What somebody may publish at some time: the same weaknesses under other names, other ranges, other gravity, withdrawn, in KEV, malice. */
function published(seed: number): { osv: object[]; kev: string[] } {
  const roll = dice(seed);
  const osv: object[] = [];
  for (const [ecosystem, names] of [
    ["npm", NPM],
    ["PyPI", PYPI],
  ] as const) {
    for (const [at, name] of names.entries()) {
      for (let n = 0; n < 2; n++) {
        if (roll(4) === 0) continue;
        const cve = `CVE-2026-1${at}${n}${ecosystem.length}0`;
        const ghsa = `GHSA-aaaa-bbb${at}-ccc${n}`;
        const aliases = [[], [cve], [cve, "PYSEC-2026-1"], ["CVE-2026-99999"]][roll(4)];
        const id = [ghsa, cve, `MAL-2026-1${at}${n}`, "__proto__", "constructor"][[0, 0, 0, 1, 1, 2, 3, 4][roll(8)] as number] as string;
        const fixed = `${1 + roll(3)}.${roll(6)}.${roll(4)}`;
        osv.push({
          ...{ id: `${id}`, modified: "2026-01-01T00:00:00Z", summary: `${name} is weak in its part ${n}`, aliases },
          ...(roll(8) === 0 ? { withdrawn: "2026-01-01T00:00:00Z" } : {}),
          ...(roll(2) === 0 ? { severity: [{ type: "CVSS_V3", score: VECTORS[roll(3)] }] } : {}),
          affected: [
            {
              package: { ecosystem, name },
              ranges: [{ type: ecosystem === "npm" ? "SEMVER" : "ECOSYSTEM", events: [{ introduced: roll(4) === 0 ? "1.1.0" : "0" }, { fixed }] }],
              ...(name === "lodash" && roll(2) === 0 ? { ecosystem_specific: { affected_functions: ["template"] } } : {}),
            },
          ],
        });
      }
    }
  }
  return { osv, kev: roll(2) === 0 ? ["CVE-2026-10030", "CVE-2026-10060"] : [] };
}

async function publish({ osv, kev }: { osv: object[]; kev: string[] }): Promise<void> {
  const from = join(root, `published-${builds++}`);
  mkdirSync(from);
  for (const [at, document] of osv.entries()) writeFileSync(join(from, `${at}.json`), JSON.stringify(document));
  // What is in no lock file, so that an index is never empty.
  const other = {
    id: "GHSA-none-none-none",
    modified: "2026-01-01T00:00:00Z",
    affected: [{ package: { ecosystem: "npm", name: "absent" }, versions: ["1.0.0"] }],
  };
  writeFileSync(join(from, "other.json"), JSON.stringify(other));
  const catalogue = { catalogVersion: "1", dateReleased: "2026-01-01T00:00:00Z", vulnerabilities: kev.map((cveID) => ({ cveID })) };
  const sources = kev.length === 0 ? [from] : [from, join(from, "kev.txt")];
  writeFileSync(join(from, "kev.txt"), JSON.stringify(catalogue));
  await updateAdvisories({ directory: advisories }, { from: sources, now: new Date(), smaller: true });
}

async function scanned(): Promise<{ result: ScanResult; matchable: Matchable }> {
  let matchable: Matchable | null = null;
  const result = await scanSource(tree, { advisories, analysers: ["code", "dependencies"], onMatchable: (kept) => (matchable = kept) });
  if (matchable === null) throw new Error("nothing was kept");
  return { result, matchable };
}
async function rematched(before: { result: ScanResult; matchable: Matchable }) {
  const rematcher = new Rematcher({ advisories });
  try {
    // As it comes back out of a database.
    return await rematcher.match(JSON.parse(JSON.stringify(before.result)), before.matchable);
  } finally {
    await rematcher.close();
  }
}
/** All that a scan says but when and how fast it was. */
function said({ started_at: _, ms: __, ...result }: ScanResult) {
  const { analysers, ...coverage } = result.coverage;
  return JSON.parse(
    JSON.stringify({ ...result, coverage: { ...coverage, analysers: Object.entries(analysers).map(([name, { version }]) => [name, version]) } }),
  );
}
const names = ({ findings }: ScanResult) => findings.flatMap(({ package: affected, aliases }) => (affected ? [`${affected.name} ${aliases[0]}`] : [])).sort();

describe("a result that is held against other advisories", () => {
  test("says what a whole new scan would say, whatever was published, withdrawn, renamed or made graver", async () => {
    await publish(published(0));
    let chain = await scanned();
    const seen = new Set([JSON.stringify(names(chain.result))]);
    for (const seed of [1, 2, 3, 4, 5]) {
      await publish(published(seed));
      const [fresh, again] = [await scanned(), await rematched(chain)];
      expect(said(again.result)).toEqual(said(fresh.result));
      expect(again.matchable.said).toEqual(fresh.matchable.said);
      expect(await unpacked(again.matchable)).toEqual(await unpacked(fresh.matchable));
      seen.add(JSON.stringify(names(again.result)));
      chain = again;
    }
    // It was no test if the advisories had said the same each time, or nothing.
    expect(seen.size).toBeGreaterThan(3);
    expect(chain.result.findings.some(({ analyser }) => analyser === "code")).toBe(true);
  }, 120_000);

  test("twice is as it was once", async () => {
    await publish(published(7));
    const before = await scanned();
    await publish(published(8));
    const once = await rematched(before);
    expect(await rematched(once)).toEqual(once);
  }, 60_000);

  test("stays as it is where the advisories were changed or are of an older build, and says so", async () => {
    await publish({ osv: [], kev: [] });
    const before = await scanned();
    const [old] = [readFileSync(join(advisories, "current"), "utf8")];
    await publish(published(9));
    expect(advisoriesInUse(advisories)).toMatchObject({ damage: null, seed: false });
    const good = readFileSync(join(advisories, "current"), "utf8");
    writeFileSync(join(advisories, "current"), old);
    expect(advisoriesInUse(advisories).damage).toMatchObject({ reason: "rollback" });
    await expect(rematched(before)).rejects.toMatchObject({ name: "IndexDamaged" });
    writeFileSync(join(advisories, "current"), good);
    // The manifest is right, and a page that it names is not.
    for (const page of readdirSync(join(advisories, "pages"))) writeFileSync(join(advisories, "pages", page), "[]\n");
    await expect(rematched(before)).rejects.toMatchObject({ name: "IndexDamaged" });
  }, 60_000);

  test("that was damaged on the disk is refused, not believed", async () => {
    await publish(published(3));
    const { result, matchable } = await scanned();
    for (const facts of [Buffer.from("not packed"), matchable.facts.subarray(0, 50)])
      await expect(rematched({ result, matchable: { ...matchable, facts } })).rejects.toMatchObject({ code: "internal" });
  }, 60_000);
});
