import { describe, expect, test } from "vitest";
import { fileOf, lookAt } from "../testing/look.ts";
import { createDependencies } from "./analyser.ts";
import { seedIndex } from "./seed/index.ts";

const dependencies = createDependencies(seedIndex());

const lock = (packages: Record<string, unknown>) => fileOf("package-lock.json", JSON.stringify({ name: "app", lockfileVersion: 3, packages }, null, 2));
const hashed = { integrity: `sha512-${"A".repeat(86)}==`, resolved: "https://registry.example/x.tgz" };

describe("a lock file with a package that an advisory is about", () => {
  const file = lock({
    "": { dependencies: { grunt: "^1.0.0" } },
    "node_modules/grunt": { version: "1.0.0", dependencies: { lodash: "~4.17.10" }, ...hashed },
    "node_modules/lodash": { version: "4.17.15", ...hashed },
  });

  test("is one finding, with its line, its way in, its fix and its names", () => {
    const found = lookAt(dependencies, [file]).matches.find(({ aliases }) => aliases.includes("CVE-2021-23337"));
    expect(found).toMatchObject({
      rule: "dependencies/advisory",
      severity: "high",
      place: { path: "package-lock.json", line: 18 },
      package: { purl: "pkg:npm/lodash@4.17.15", path: ["grunt", "lodash"], direct: false, development: false, fixed: ["4.17.21"], reachability: "unknown" },
    });
    expect(found?.aliases).toEqual(["CVE-2021-23337", "GHSA-35jh-r3h4-6jhm"]);
    expect(found?.message).toContain("grunt → lodash");
    expect(found?.fix.text).toContain("npm update lodash");
  });

  test("is none where the version is the fixed one", () => {
    expect(lookAt(dependencies, [lock({ "": { dependencies: { lodash: "*" } }, "node_modules/lodash": { version: "4.17.21", ...hashed } })]).matches).toEqual(
      [],
    );
  });
});

test.each([
  ["half of a file", '{"lockfileVersion": 3, "packages": {', "syntax_error"],
  ["an unresolved conflict", '{\n<<<<<<< HEAD\n"a": 1\n=======\n"a": 2\n>>>>>>> x\n}', "merge_conflict"],
  ["a list", "[]", "syntax_error"],
  ["a version of tomorrow", '{"lockfileVersion": 9}', "unsupported"],
])("%s is a gap that matters", (_, text, reason) => {
  expect(lookAt(dependencies, [fileOf("package-lock.json", text)]).gaps).toMatchObject([{ kind: "degraded", reason, matters: true }]);
});
