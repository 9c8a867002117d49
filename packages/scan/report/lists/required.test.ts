import { Ajv } from "ajv";
import formats from "ajv-formats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostileText, PAYLOADS, resultSaying } from "../../testing/hostile.ts";
import { render } from "../index.ts";

const ajv = new Ajv({ allErrors: true, strictTypes: false, strictRequired: false });
formats.default(ajv);
const text = { type: "string", minLength: 1 };

/** What GitLab asks of each entry: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format */
const CODE_QUALITY = ajv.compile({
  type: "array",
  items: {
    type: "object",
    required: ["description", "check_name", "fingerprint", "severity", "location"],
    properties: {
      ...{ description: text, check_name: text, fingerprint: text, severity: { enum: ["info", "minor", "major", "critical", "blocker"] } },
      location: {
        type: "object",
        required: ["path", "lines"],
        properties: {
          path: { type: "string", minLength: 1 },
          lines: { type: "object", required: ["begin"], properties: { begin: { type: "integer", minimum: 1 } } },
        },
      },
    },
  },
});

/** What OpenVEX demands: https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md */
const OPENVEX = ajv.compile({
  type: "object",
  required: ["@context", "@id", "author", "timestamp", "version", "statements"],
  properties: {
    ...{ "@context": { type: "string", pattern: "^https://openvex\\.dev/ns" }, "@id": { type: "string", format: "uri" }, author: text },
    ...{ timestamp: { type: "string", format: "date-time" }, version: { type: "integer", minimum: 1 } },
    statements: {
      type: "array",
      items: {
        type: "object",
        required: ["vulnerability", "products", "status"],
        properties: {
          vulnerability: { type: "object", required: ["name"], properties: { name: text } },
          products: { type: "array", minItems: 1, items: { type: "object", required: ["@id"], properties: { "@id": text } } },
          status: { enum: ["not_affected", "affected", "fixed", "under_investigation"] },
        },
        // One of these, by the status.
        oneOf: [
          { properties: { status: { const: "not_affected" } }, anyOf: [{ required: ["justification"] }, { required: ["impact_statement"] }] },
          { properties: { status: { const: "affected" } }, required: ["action_statement"] },
          { properties: { status: { enum: ["fixed", "under_investigation"] } } },
        ],
      },
    },
  },
});

describe.each([
  ["gitlab", CODE_QUALITY],
  ["openvex", OPENVEX],
] as const)("%s has all that its reader demands", (format, valid) => {
  test("whatever the artifact calls its files and writes into them", () => {
    const holds = (payload: string) => {
      valid(JSON.parse(render(resultSaying(payload), format)));
      expect(valid.errors, JSON.stringify(payload)).toBeNull();
    };
    for (const payload of PAYLOADS) holds(payload);
    fc.assert(fc.property(hostileText, holds), { numRuns: 60 });
  });
});

test("GitLab tells findings apart: no fingerprint stands twice", () => {
  const entries = JSON.parse(render(resultSaying("a.js", 5), "gitlab")) as { fingerprint: string }[];
  expect(new Set(entries.map(({ fingerprint }) => fingerprint)).size).toBe(entries.length);
});

test("JUnit's sums are those of what stands below", () => {
  for (const payload of ["a", ...PAYLOADS]) {
    for (const [, attributes = "", body = ""] of render(resultSaying(payload, 5), "junit").matchAll(/<testsuite ([^>]*)>([\s\S]*?)<\/testsuite>/g)) {
      const said = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(attributes)?.[1]);
      const counted = (tag: string) => body.split(`<${tag} `).length - 1;
      expect([said("tests"), said("failures"), said("errors"), said("skipped")]).toEqual(["testcase", "failure", "error", "skipped"].map(counted));
      expect(attributes).toMatch(/timestamp="\d{4}-\d\d-\d\dT/);
    }
  }
});
