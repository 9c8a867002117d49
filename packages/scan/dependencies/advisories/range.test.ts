import fc from "fast-check";
import semver from "semver";
import { describe, expect, test } from "vitest";
import { semantic } from "../versions/semantic.ts";
import { isAffected } from "./advisory.ts";
import { compileAdvisories } from "./compile.ts";
import { hitsOf } from "./match.ts";
import { openIndex } from "./open.ts";
import { parseOsv } from "./osv.ts";
import { type EventKind, inRange, sortEvents } from "./range.ts";

const version = fc
  .tuple(fc.nat(4), fc.nat(4), fc.nat(3), fc.option(fc.constantFrom("alpha", "beta.2", "rc.1")))
  .map(([a, b, c, pre]) => `${a}.${b}.${c}${pre ? `-${pre}` : ""}`);

/** The text of the specification, as slowly as it can be done: which event at or below the version was the last? */
function naive(at: string, events: readonly (readonly [EventKind, string])[]): boolean {
  const limits = events.filter(([kind]) => kind === "limit").map(([, limit]) => limit);
  if (limits.length > 0 && !limits.some((limit) => limit === "*" || semver.lt(at, limit))) return false;
  const lower = (kind: EventKind) => events.filter(([each, v]) => each === kind && v !== "0").map(([, v]) => v);
  const starts = [
    ...lower("introduced").filter((v) => semver.gte(at, v)),
    ...(events.some(([kind, v]) => kind === "introduced" && v === "0") ? ["0.0.0-0"] : []),
  ];
  if (starts.length === 0) return false;
  const last = starts.sort(semver.compare).at(-1) as string;
  const fixed = lower("fixed").some((v) => semver.gte(at, v) && semver.gte(v, last));
  const beyond = lower("last_affected").some((v) => semver.gt(at, v) && semver.gte(v, last));
  return !fixed && !beyond;
}

describe("a range", () => {
  test("holds what a naive reading of the specification holds", () => {
    const event = fc.oneof(
      fc.tuple(fc.constant("introduced" as const), fc.oneof(fc.constant("0"), version)),
      fc.tuple(fc.constantFrom("fixed" as const, "last_affected" as const, "limit" as const), version),
    );
    fc.assert(
      fc.property(version, fc.uniqueArray(event, { maxLength: 6, selector: ([, v]) => v }), (at, events) => {
        const sorted = sortEvents(events, semantic);
        expect(sorted && inRange(at, sorted, semantic)).toBe(naive(at, events));
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ["1.0.0-alpha", true],
    ["0.0.0-0", true],
    ["1.2.3-rc.1", true],
    ["1.2.3", false],
    ["2.0.0-beta", false],
    ["2.0.0", true],
    ["2.5.0", true],
    ["2.5.1", false],
  ])("introduced 0, fixed 1.2.3, introduced 2.0.0, last affected 2.5.0: %s is %s", (at, affected) => {
    const events = sortEvents(
      [
        ["fixed", "1.2.3"],
        ["last_affected", "2.5.0"],
        ["introduced", "2.0.0"],
        ["introduced", "0"],
      ],
      semantic,
    );
    expect(events && inRange(at, events, semantic)).toBe(affected);
  });
});

const osv = (more: object) => ({ id: "OSV-1", modified: "2026-01-01T00:00:00Z", ...more });
const affected = (ecosystem: string, name: string, events: object[], more: object = {}) => ({
  affected: [{ package: { ecosystem, name }, ranges: [{ type: "ECOSYSTEM", events }], ...more }],
});
const indexOf = (...documents: object[]) => {
  const { manifest, pages } = compileAdvisories(documents, { built_at: "2026-01-01T00:00:00.000Z", sequence: 1 });
  return openIndex(manifest, (hash) => pages.get(hash) as Uint8Array);
};

describe("a document of OSV", () => {
  test("a version that is listed is affected, however it is spelled; one that is none has no answer", () => {
    const parsed = parseOsv(osv(affected("PyPI", "A_b", [{ introduced: "0" }, { fixed: "1.0" }], { versions: ["0.9", "2.0", "weird"] })));
    const advisory = parsed.kind === "entries" ? parsed.entries[0]?.advisory : undefined;
    expect(advisory?.versions).toEqual(["2.0", "weird"]);
    expect(["0.9.0", "2.0.0", "weird", "1.5", "other-thing"].map((v) => advisory && isAffected(advisory, "PyPI", v))).toEqual([true, true, true, false, null]);
    expect(parsed.kind === "entries" && parsed.entries[0]?.name).toBe("a-b");
  });

  test.each([
    ["withdrawn", { withdrawn: "2026-01-01T00:00:00Z", ...affected("npm", "a", [{ introduced: "0" }]) }, "withdrawn"],
    ["without a package", { affected: [{ ranges: [] }] }, "no_package"],
    ["of an ecosystem without an order", affected("Debian:12", "a", [{ introduced: "0" }]), "not_supported"],
    [
      "with a range of commits alone",
      { affected: [{ package: { ecosystem: "npm", name: "a" }, ranges: [{ type: "GIT", events: [{ introduced: "0" }] }] }] },
      "not_supported",
    ],
    ["with events that are none", affected("npm", "a", [{ introduced: "../../x" }]), "not_supported"],
  ])("%s says nothing, and is counted", (_, more, reason) => {
    expect(indexOf(osv(more)).manifest.refused).toEqual({ [reason]: 1 });
  });

  test.each([
    [null],
    [1],
    ["x"],
    [[]],
    [{ id: "__proto__", affected: [{ package: { ecosystem: "npm", name: "__proto__" } }] }],
    [{ id: "X-1", affected: "y" }],
    [{ id: "X-1", affected: [null, { package: null }] }],
  ])("%j does no harm", (document) => {
    expect(indexOf(document as object).manifest.ecosystems).toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("a package may be called __proto__, or hold a tab, a line break or another's line", () => {
    const hostile = ["__proto__", "constructor", "a\tb", 'x"\t[]\n"y', "toString"];
    const index = indexOf(...hostile.map((name, i) => osv({ id: `OSV-${i}0`, ...affected("npm", name, [{ introduced: "0" }]) })));
    for (const [i, name] of hostile.entries()) expect(index.find("npm", name).map(({ id }) => id)).toEqual([`OSV-${i}0`]);
    expect(index.find("npm", "y")).toEqual([]);
    expect(index.find("nope", "y")).toEqual([]);
  });

  test("advisories under one name are one weakness, and where they disagree it says so", () => {
    const index = indexOf(
      { ...osv(affected("npm", "a", [{ introduced: "0" }, { fixed: "2.0.0" }])), id: "GHSA-aaaa-aaaa-aaaa", aliases: ["CVE-2026-0001"] },
      { ...osv(affected("npm", "a", [{ introduced: "0" }, { fixed: "1.5.0" }])), id: "CVE-2026-0001" },
      { ...osv(affected("npm", "a", [{ introduced: "0" }, { fixed: "3.0.0" }])), id: "OSV-X" },
    );
    expect(hitsOf(index, "npm", "a", "1.0.0").hits.map(({ ids, disputed }) => [ids, disputed])).toEqual([
      [["CVE-2026-0001", "GHSA-aaaa-aaaa-aaaa"], false],
      [["OSV-X"], false],
    ]);
    expect(hitsOf(index, "npm", "a", "1.9.0").hits[0]).toMatchObject({ disputed: true, fixed: ["2.0.0"] });
    expect(hitsOf(index, "npm", "a", "1.0.0").clear).toBe("3.0.0");
  });

  test("equal documents give equal bytes, in whatever order; of two under one id the later counts", () => {
    const documents = Array.from({ length: 50 }, (_, i) =>
      osv({ id: `OSV-${i}0`, ...affected("npm", `p${i % 7}`, [{ introduced: "0" }, { fixed: `1.${i}.0` }]) }),
    );
    expect(indexOf(...documents).id).toBe(indexOf(...documents.toReversed()).id);
    const later = { ...documents[0], modified: "2026-02-01T00:00:00Z", summary: "later" } as object;
    expect(
      indexOf(later, ...documents)
        .find("npm", "p0")
        .find(({ id }) => id === "OSV-00")?.summary,
    ).toBe("later");
  });

  test("with 5,000 packages a look-up reads one page of many", () => {
    const documents = Array.from({ length: 5000 }, (_, i) =>
      osv({ id: `OSV-${i}0`, summary: "x".repeat(200), ...affected("npm", `p${i}`, [{ introduced: "0" }]) }),
    );
    const { manifest, pages } = compileAdvisories(documents, { built_at: "2026-01-01T00:00:00.000Z", sequence: 1 });
    const asked: string[] = [];
    const index = openIndex(manifest, (hash) => {
      asked.push(hash);
      return pages.get(hash) as Uint8Array;
    });
    expect(index.find("npm", "p4321")).toHaveLength(1);
    expect(index.find("npm", "p4321")).toHaveLength(1);
    expect(asked).toHaveLength(1);
    expect(index.manifest.ecosystems[0]?.pages.length).toBeGreaterThan(8);
  });
});
