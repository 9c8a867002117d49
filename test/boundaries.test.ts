import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const config = createRequire(import.meta.url)("../.dependency-cruiser.cjs") as { forbidden: { name: string }[] };

/** One file for each rule that breaks it, and what it imports. */
const PLANTED: Record<string, [file: string, imported: string]> = {
  "contracts-knows-only-itself": ["packages/contracts/run.ts", "@plastron/policy"],
  "document-knows-only-itself-contracts": ["packages/document/meaning.ts", "@plastron/policy"],
  "policy-knows-only-itself-contracts-document": ["packages/policy/live.ts", "@plastron/sandbox"],
  "sandbox-knows-only-itself-contracts": ["packages/sandbox/tenant.ts", "@plastron/server"],
  "egress-knows-only-itself-contracts": ["packages/egress/launch.ts", "@plastron/sandbox"],
  "sensor-knows-only-itself-contracts": ["packages/sensor/eye.ts", "@plastron/sandbox"],
  "scan-knows-only-itself-contracts-document": ["packages/scan/try.ts", "@plastron/sandbox"],
  "agent-knows-only-itself-contracts-sandbox-policy-sensor": ["packages/agent/report.ts", "@plastron/server"],
  "server-knows-only-itself-contracts-policy-scan": ["packages/server/shortcut.ts", "@plastron/sandbox"],
  "cli-knows-only-itself-contracts-policy-sandbox-sensor-scan": ["packages/cli/inprocess.ts", "@plastron/agent"],
  "no-cycles": ["packages/sandbox/egg.ts", "./hen.ts"],
  "one-door": ["packages/agent/backdoor.ts", "../sandbox/hen.ts"],
  "pure-packages-have-no-effects": ["packages/policy/load.ts", "node:fs"],
  "analysers-have-no-effects": ["packages/scan/secrets/peek.ts", "node:fs"],
  "contracts-need-zod-alone": ["packages/contracts/parse.ts", "yaml"],
  "policy-needs-little": ["packages/policy/fetch.ts", "undici"],
  "no-database-and-no-http-where-root-is": ["packages/agent/store.ts", "pg"],
  "a-store-belongs-to-its-module": ["packages/server/modules/runs/service.ts", "../tenants/store.ts"],
  "tests-stay-outside": ["packages/policy/product.ts", "./sample.test.ts"],
  resolvable: ["packages/cli/typo.ts", "./no-such-file.ts"],
  declared: ["packages/server/lucky.ts", "undeclared"],
};

/** What the rules must let through, or they would forbid too much. */
const ALLOWED: [file: string, imported: string][] = [
  ["packages/contracts/index.ts", "zod"],
  ["packages/policy/index.ts", "@plastron/contracts"],
  ["packages/policy/hash.ts", "node:crypto"],
  ["packages/policy/sample.test.ts", "node:fs"],
  ["packages/sandbox/index.ts", "node:fs"],
  ["packages/sandbox/hen.ts", "./egg.ts"],
  ["packages/scan/engine/pool.ts", "node:child_process"],
  ["packages/scan/secrets/digest.ts", "node:crypto"],
  ["packages/egress/main.ts", "@plastron/contracts"],
  ["packages/agent/index.ts", "@plastron/sandbox"],
  ["packages/server/index.ts", "pg"],
  ["packages/server/modules/tenants/store.ts", "pg"],
  ["packages/server/modules/tenants/service.ts", "./store.ts"],
  ["packages/cli/index.ts", "@plastron/sandbox"],
];

let directory: string;
let violations: { rule: string; from: string }[];

describe("package boundaries", () => {
  beforeAll(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), "plastron-boundaries-")));
    for (const [file, imported] of [...ALLOWED, ...Object.values(PLANTED)]) write(file, `import type {} from "${imported}";\n`);
    // Type-only and dynamic imports and re-exports cross a border as well as plain ones.
    write("packages/sandbox/lazy.ts", `export const lazy = () => import("@plastron/server");\n`);
    write("packages/sandbox/reexport.ts", `export * from "@plastron/server";\n`);
    linkPackages();
    violations = cruise();
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test("every rule has a file that breaks it", () => {
    expect(Object.keys(PLANTED).sort()).toEqual(config.forbidden.map((rule) => rule.name).sort());
  });

  test.each(Object.entries(PLANTED))("%s is enforced", (rule, [file]) => {
    expect(violations).toContainEqual({ rule, from: file });
  });

  test("a dynamic import and a re-export are imports", () => {
    for (const from of ["packages/sandbox/lazy.ts", "packages/sandbox/reexport.ts"]) {
      expect(violations).toContainEqual({ rule: "sandbox-knows-only-itself-contracts", from });
    }
  });

  test.each(ALLOWED.filter(([file]) => file !== "packages/sandbox/hen.ts"))("%s may import %s", (file) => {
    expect(violations.filter(({ from }) => from === file)).toEqual([]);
  });
});

function write(file: string, content: string): void {
  mkdirSync(join(directory, dirname(file)), { recursive: true });
  writeFileSync(join(directory, file), content);
}

/** As npm would: our packages by name, and others as real packages, all but one of them declared. */
function linkPackages(): void {
  const npm = ["zod", "yaml", "undici", "pg"];
  write("package.json", JSON.stringify({ dependencies: Object.fromEntries(npm.map((name) => [name, "*"])) }));
  for (const name of [...npm, "undeclared"]) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: "index.js" }));
    write(`node_modules/${name}/index.js`, "");
  }
  mkdirSync(join(directory, "node_modules/@plastron"));
  for (const name of ["contracts", "policy", "sandbox", "egress", "agent", "server", "cli"]) {
    write(`packages/${name}/package.json`, JSON.stringify({ name: `@plastron/${name}`, exports: { ".": "./index.ts" } }));
    symlinkSync(`../../packages/${name}`, join(directory, "node_modules/@plastron", name));
  }
}

function cruise(): { rule: string; from: string }[] {
  const script = join(root, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs");
  const args = [script, "--config", join(root, ".dependency-cruiser.cjs"), "--output-type", "json", "packages"];
  const output = execFileSync(process.execPath, args, { cwd: directory, encoding: "utf8", maxBuffer: 64 << 20 });
  const report = JSON.parse(output) as { summary: { violations: { rule: { name: string }; from: string }[] } };
  return report.summary.violations.map(({ rule, from }) => ({ rule: rule.name, from }));
}
