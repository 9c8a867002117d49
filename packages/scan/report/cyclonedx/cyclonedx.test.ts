import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Finding } from "@plastron/contracts";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostileText, resultSaying } from "../../testing/hostile.ts";
import { findingOf, resultOf } from "../../testing/result.ts";
import { render } from "../index.ts";

/** The published schema comes with the library. */
const schemas = join(dirname(createRequire(import.meta.url).resolve("@cyclonedx/cyclonedx-library")), "../res/schema");
const schema = (name: string) => JSON.parse(readFileSync(join(schemas, `${name}.SNAPSHOT.schema.json`), "utf8"));
const ajv = new Ajv({ strict: false, allErrors: true });
for (const name of ["spdx", "jsf-0.82"]) ajv.addSchema({ ...schema(name), $id: `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json` });
formats.default(ajv);
for (const name of ["iri-reference", "idn-email"]) ajv.addFormat(name, true);
const validate = ajv.compile(schema("bom-1.6"));

const affected = {
  ...{ purl: "pkg:npm/lodash@4.17.20", ecosystem: "npm", name: "lodash", version: "4.17.20", path: [], direct: true, development: false },
  ...{ fixed: ["4.17.21"], reachability: "unknown" as const, kev: false, epss: null },
};
const dependency = () => findingOf({ rule: "dependencies/advisory", analyser: "dependencies", package: affected, aliases: ["GHSA-x", "CVE-2021-23337"] });
const exempted = (finding: Finding, more: Partial<NonNullable<Finding["exemption"]>> = {}): Finding => ({
  ...finding,
  state: "exempted",
  exemption: { id: "EX-1", reason: "A constant.", approver: "bea", expires: "2026-05-01", status: "accepted", justification: null, ...more },
});

describe("CycloneDX", () => {
  const bomOf = (...findings: Finding[]) => JSON.parse(render(resultOf(findings), "cyclonedx", { version: "0.1.0" }));

  test("is valid by the published schema, whatever stands in the artifact", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        validate(JSON.parse(render(resultSaying(text), "cyclonedx")));
        expect(validate.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`) ?? []).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test("names the advisory by its CVE, and the package it is of", () => {
    const bom = bomOf(dependency());
    expect(bom.vulnerabilities[0]).toMatchObject({
      ...{ id: "CVE-2021-23337", source: { name: "NVD" }, references: [{ id: "GHSA-x" }], affects: [{ ref: affected.purl }], analysis: { state: "in_triage" } },
    });
    expect(bom.components).toEqual([expect.objectContaining({ purl: affected.purl })]);
  });

  test("adds to the bill of materials of the scan, and points into it", () => {
    const sbom = {
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      components: [{ type: "library", "bom-ref": "ref-7", name: "lodash", version: "4.17.20", purl: affected.purl }],
    };
    const bom = JSON.parse(render(resultOf([dependency(), findingOf()], { sbom }), "cyclonedx"));
    validate(bom);
    expect(validate.errors).toBeNull();
    expect(bom.components).toEqual(sbom.components);
    expect(bom.vulnerabilities.map(({ affects }: { affects: { ref: string }[] }) => affects[0]?.ref).sort()).toEqual(
      [bom.metadata.component["bom-ref"], "ref-7"].sort(),
    );
  });

  test.each([
    ["accepted", null, { state: "exploitable", response: ["will_not_fix"] }],
    ["false_positive", null, { state: "false_positive" }],
    ["not_affected", "vulnerable_code_not_in_execute_path", { state: "not_affected", justification: "code_not_reachable" }],
  ] as const)("an exemption of status %s is its analysis", (status, justification, analysis) => {
    const bom = bomOf(exempted(dependency(), { status, justification }));
    expect(bom.vulnerabilities[0].analysis).toMatchObject(analysis);
    validate(bom);
    expect(validate.errors).toBeNull();
  });
});

describe("OpenVEX", () => {
  const statementsOf = (...findings: Finding[]) => JSON.parse(render(resultOf(findings), "openvex")).statements;

  test("claims nothing of what nobody answered for", () => {
    expect(statementsOf(dependency())).toEqual([
      {
        vulnerability: { name: "CVE-2021-23337", aliases: ["GHSA-x"], description: "Command injection" },
        products: [expect.objectContaining({ hashes: { "sha-256": "ab".repeat(32) }, subcomponents: [{ "@id": affected.purl }] })],
        status: "under_investigation",
      },
    ]);
  });

  test("affected says what is done, and not_affected why", () => {
    expect(statementsOf(exempted(dependency()))[0]).toMatchObject({ status: "affected", action_statement: expect.stringContaining("until 2026-05-01") });
    const justified = exempted(dependency(), { status: "not_affected", justification: "inline_mitigations_already_exist" });
    expect(statementsOf(justified)[0]).toMatchObject({
      status: "not_affected",
      justification: "inline_mitigations_already_exist",
      impact_statement: expect.any(String),
    });
    expect(statementsOf(exempted(findingOf(), { status: "false_positive" }))[0]).toMatchObject({
      status: "not_affected",
      justification: "vulnerable_code_not_present",
    });
  });

  test("is the same document for the same scan", () => {
    expect(render(resultOf([dependency()]), "openvex")).toBe(render(resultOf([dependency()]), "openvex"));
  });
});
