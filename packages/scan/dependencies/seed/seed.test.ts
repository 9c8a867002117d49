import { describe, expect, test } from "vitest";
import { scoreVector } from "../../findings/cvss.ts";
import { hitsOf } from "../advisories/match.ts";
import { parseOsv } from "../advisories/osv.ts";
import { advisoryNotes } from "../age.ts";
import { seedDocuments, seedIndex } from "./index.ts";

const documents = seedDocuments() as { id: string; aliases: string[]; severity: { score: string }[]; summary: string }[];

describe("the seed", () => {
  test("has at least sixty weaknesses, each readable, with a severity and names that are names", () => {
    expect(documents.length).toBeGreaterThanOrEqual(60);
    for (const document of documents) {
      expect(parseOsv(document)).toMatchObject({ kind: "entries" });
      expect(
        [document.id, ...document.aliases].filter((id) => !/^(CVE-\d{4}-\d{4,6}|GHSA(-[23456789cfghjmpqrvwx]{4}){3}|RUSTSEC-\d{4}-\d{4})$/.test(id)),
      ).toEqual([]);
      for (const { score } of document.severity) expect(scoreVector(score.replace("CVSS:3.0", "CVSS:3.1"))).not.toBeNull();
      expect(document.summary.length).toBeGreaterThan(20);
    }
    expect(new Set(documents.map(({ id }) => id)).size).toBe(documents.length);
  });

  test("says of itself that it is one", () => {
    expect(seedIndex().manifest.seed).toBe(true);
    expect(advisoryNotes(seedIndex(), new Date("2027-01-01"))[0]).toContain("seed");
  });

  test.each([
    ["npm", "lodash", "4.17.20", "4.17.21"],
    ["npm", "minimist", "1.2.5", "1.2.6"],
    ["npm", "qs", "6.9.6", "6.9.7"],
    ["npm", "jsonwebtoken", "8.5.1", "9.0.0"],
    ["npm", "ua-parser-js", "0.7.29", "0.7.30"],
    ["npm", "event-stream", "3.3.6", "3.3.5"],
    ["PyPI", "PyYAML", "5.3.1", "5.4"],
    ["PyPI", "Pillow", "9.5.0", "10.3.0"],
    ["PyPI", "Django", "3.2.12", "3.2.25"],
    ["PyPI", "langchain", "0.0.246", "0.0.247"],
    ["Maven", "org.apache.logging.log4j:log4j-core", "2.14.1", "2.15.0"],
    ["Maven", "org.apache.logging.log4j:log4j-core", "2.0-rc1", "2.3.1"],
    ["RubyGems", "activerecord", "6.1.6", "6.1.6.1"],
    ["crates.io", "regex", "1.5.4", "1.5.5"],
    ["Go", "golang.org/x/crypto", "v0.16.0", "v0.17.0"],
    ["NuGet", "Newtonsoft.Json", "12.0.3", "13.0.1"],
  ])("%s %s: %s is affected, %s is not", (ecosystem, name, bad, ok) => {
    expect(hitsOf(seedIndex(), ecosystem, name, bad).hits.length).toBeGreaterThan(0);
    expect(hitsOf(seedIndex(), ecosystem, name, ok).hits).toEqual([]);
  });
});
