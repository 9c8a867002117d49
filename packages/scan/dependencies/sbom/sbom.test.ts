import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import { describe, expect, test } from "vitest";
import { fileOf, lookAt } from "../../testing/look.ts";
import { compileAdvisories } from "../advisories/compile.ts";
import { openIndex } from "../advisories/open.ts";
import { createDependencies } from "../analyser.ts";
import type { DependencyFacts } from "../facts.ts";
import { readerOf } from "../readers/choose.ts";
import { seedIndex } from "../seed/index.ts";
import { readSbom } from "./read.ts";
import { rematch } from "./rematch.ts";
import { writeSbom } from "./write.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../fixtures", name), "utf8");
const factsOf = (files: Record<string, string>): Map<string, DependencyFacts> =>
  new Map(Object.entries(files).map(([path, text]) => [path, { listings: readerOf(path)?.(text, path).listings ?? [] }]));

const LOCKS: Readonly<Record<string, string>> = {
  "package-lock.json": "package-lock.v3.json",
  "pnpm-lock.yaml": "pnpm-lock.v9.yaml",
  "yarn.lock": "yarn.berry.lock",
  "uv.lock": "uv.lock",
};

interface Written {
  components: { "bom-ref": string; purl: string; scope?: string; hashes?: { alg: string; content: string }[] }[];
  dependencies: { ref: string; dependsOn?: string[] }[];
}

describe.each(Object.entries(LOCKS))("of %s", (path, name) => {
  const written = JSON.parse(JSON.stringify(writeSbom(factsOf({ [path]: fixture(name) })))) as Written;

  test("is valid CycloneDX 1.6", () => {
    expect(faultsOf(written)).toEqual([]);
  });

  test("has the graph, purls and hashes, and reads back the same", () => {
    const refs = new Set(["artifact", ...written.components.map((each) => each["bom-ref"])]);
    expect(written.dependencies.flatMap(({ ref, dependsOn = [] }) => [ref, ...dependsOn]).filter((ref) => !refs.has(ref))).toEqual([]);
    expect(written.dependencies.find(({ ref }) => ref === "artifact")?.dependsOn?.length).toBeGreaterThan(1);
    const [listing] = readSbom(JSON.stringify(written)).listings;
    expect(listing?.packages.map(({ name: each, version }) => `${each}@${version}`).sort()).toEqual(
      written.components.map(({ purl }) => decodeURIComponent(purl.replace(/^pkg:\w+\//, ""))).sort(),
    );
  });
});

test("what only developers need is excluded, and hashes are those of the lock file", () => {
  const { components } = writeSbom(factsOf({ "package-lock.json": fixture("package-lock.v3.json") })) as Written;
  expect(components.find(({ purl }) => purl === "pkg:npm/json5@2.2.1")?.scope).toBe("excluded");
  expect(components.find(({ purl }) => purl === "pkg:npm/lodash@4.18.1")?.hashes?.[0]).toMatchObject({
    alg: "SHA-512",
    content: expect.stringMatching(/^[0-9a-f]{128}$/),
  });
  expect(components.find(({ purl }) => purl.startsWith("pkg:npm/%40babel/code-frame@"))).toBeDefined();
});

test("hostile names stay data", () => {
  const packages = Object.fromEntries(
    ["__proto__", "constructor", "\u001b[31mred", "a b/../..", "x".repeat(5000)].map((name) => [`node_modules/${name}`, { version: "1.0.0\u202e" }]),
  );
  const written = JSON.parse(JSON.stringify(writeSbom(factsOf({ "package-lock.json": JSON.stringify({ lockfileVersion: 3, packages }) }))));
  expect(faultsOf(written)).toEqual([]);
  expect(JSON.stringify(written)).not.toMatch(/\\u001b|\u202e/);
});

const SPDX = {
  spdxVersion: "SPDX-2.3",
  name: "app",
  packages: [
    { SPDXID: "SPDXRef-1", name: "lodash", versionInfo: "4.17.15", externalRefs: [{ referenceType: "purl", referenceLocator: "pkg:npm/lodash@4.17.15" }] },
    { SPDXID: "SPDXRef-2", name: "unknown" },
  ],
  relationships: [{ spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DEPENDS_ON", relatedSpdxElement: "SPDXRef-1" }],
};
const SPDX3 = {
  "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
  "@graph": [{ type: "software_Package", spdxId: "x", name: "lodash", software_packageVersion: "4.17.15", software_packageUrl: "pkg:npm/lodash@4.17.15" }],
};
const CDX = (version: string) => ({
  bomFormat: "CycloneDX",
  specVersion: version,
  components: [
    {
      type: "library",
      name: "lodash",
      version: "4.17.15",
      purl: "pkg:npm/lodash@4.17.15",
      components: [{ type: "library", name: "jinja2", version: "2.11.2", purl: "pkg:pypi/Jinja2@2.11.2" }],
    },
  ],
});

describe("a bill of materials in the tree", () => {
  test.each([
    ["app.spdx.json", SPDX],
    ["app.spdx3.json", SPDX3],
    ["bom.json", CDX("1.2")],
    ["app.cdx.json", CDX("1.6")],
    ["my-sbom-file.json", CDX("1.5")],
    ["given.json", CDX("1.5")],
  ])("%s is held against advisories", (path, document) => {
    const { matches } = lookAt(createDependencies(seedIndex()), [fileOf(path, JSON.stringify(document))]);
    expect(matches.map(({ aliases }) => aliases[0])).toContain("CVE-2021-23337");
    if (document !== SPDX && document !== SPDX3) expect(matches.map((match) => match.package?.purl)).toContain("pkg:pypi/jinja2@2.11.2");
  });

  test.each([
    ["{", "syntax_error"],
    ["{}", "unsupported"],
    ['{"bomFormat":"CycloneDX","specVersion":"9.9"}', "unsupported"],
    ['{"spdxVersion":"SPDX-7"}', "unsupported"],
  ])("%s is a gap", (text, reason) => {
    expect(lookAt(createDependencies(seedIndex()), [fileOf("bom.json", text)]).gaps).toMatchObject([{ reason, matters: true }]);
  });

  test("nested a hundred thousand deep does no harm", () => {
    const text = `{"bomFormat":"CycloneDX","specVersion":"1.6","components":${'[{"components":'.repeat(100_000)}[]${"}]".repeat(100_000)}}`;
    expect(() => lookAt(createDependencies(seedIndex()), [fileOf("bom.json", text)])).not.toThrow();
  });
});

describe("advisories that changed", () => {
  const advisory = (id: string, fixed: string, more: object = {}) => ({
    ...{ id, modified: "2026-01-01T00:00:00Z", summary: "weak", ...more },
    affected: [{ package: { ecosystem: "npm", name: "lodash" }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed }] }] }],
  });
  const indexOf = (...documents: object[]) => {
    const { manifest, pages } = compileAdvisories(documents, { built_at: "2026-01-01T00:00:00.000Z", sequence: 1 });
    return openIndex(manifest, (hash) => pages.get(hash) as Uint8Array);
  };
  const stored = [
    { id: "sha256:1", sbom: CDX("1.6") },
    { id: "sha256:2", sbom: { not: "one" } },
  ];

  test("open and close findings of artifacts that nobody scans again", () => {
    const found = rematch(
      stored,
      indexOf(advisory("OSV-1", "4.17.16"), advisory("OSV-2", "4.17.16")),
      indexOf(advisory("OSV-2", "4.17.16"), advisory("OSV-3", "5.0.0")),
    );
    expect(found.opened).toMatchObject([{ id: "sha256:1", advisory: "OSV-3", name: "lodash", version: "4.17.15", fixed: ["5.0.0"] }]);
    expect(found.closed).toMatchObject([{ advisory: "OSV-1" }]);
    expect(found.unreadable).toMatchObject([{ id: "sha256:2" }]);
  });

  test("a weakness that gets a CVE is the same one", () => {
    const found = rematch(
      stored.slice(0, 1),
      indexOf(advisory("GHSA-aaaa-aaaa-aaaa", "5.0.0")),
      indexOf(advisory("GHSA-aaaa-aaaa-aaaa", "5.0.0", { aliases: ["CVE-2026-1234"] })),
    );
    expect(found).toEqual({ opened: [], closed: [], unreadable: [] });
  });
});

/** Against the schema that CycloneDX publishes, as the library brings it. */
function faultsOf(document: unknown): unknown[] {
  const from = createRequire(import.meta.url).resolve("@cyclonedx/cyclonedx-library/package.json");
  const schema = (name: string) => JSON.parse(readFileSync(join(from, "../res/schema", name), "utf8"));
  const ajv = new Ajv({ strict: false, allErrors: true, formats: { "iri-reference": true, "idn-email": true } });
  formats.default(ajv);
  for (const name of ["spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"])
    ajv.addSchema({ ...schema(name), $id: `http://cyclonedx.org/schema/${name}` });
  const validate = ajv.compile(schema("bom-1.6.SNAPSHOT.schema.json"));
  return validate(document) ? [] : (validate.errors ?? []).slice(0, 5);
}
