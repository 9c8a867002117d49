import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fileOf, lookAt } from "../../testing/look.ts";
import { createDependencies } from "../analyser.ts";
import { seedIndex } from "../seed/index.ts";

const chalk = { version: "5.0.0", resolved: "https://registry.example/chalk/-/chalk-5.0.0.tgz", integrity: `sha512-${"A".repeat(86)}==` };
const look = (text: string) => lookAt(createDependencies(seedIndex()), [fileOf("package-lock.json", text)]).matches;
const twice = (packages: Record<string, unknown>, dependencies: Record<string, unknown>) =>
  look(JSON.stringify({ lockfileVersion: 2, packages: { "": { dependencies: { chalk: "^5.0.0" } }, ...packages }, dependencies }, null, 1));

test.each<[string, Record<string, unknown>, RegExp]>([
  ["a version", { chalk: { ...chalk, version: "4.0.0" } }, /chalk@5\.0\.0; before npm 7: chalk@4\.0\.0/],
  ["the package", { chalk: { ...chalk, version: "npm:evil@5.0.0" } }, /before npm 7: evil@5\.0\.0/],
  ["its address", { chalk: { ...chalk, resolved: "https://evil.example/chalk/-/chalk-5.0.0.tgz" } }, /before npm 7: .*evil\.example/],
  ["an address as its version", { chalk: { version: "https://evil.example/chalk-5.0.0.tgz" } }, /evil\.example/],
  ["its content", { chalk: { ...chalk, integrity: `sha512-${"B".repeat(86)}==` } }, /sha512-BBB/],
  ["a package that only the old half has", { chalk, evil: { ...chalk, version: "6.6.6" } }, /node_modules\/evil \(not there; before npm 7: evil@6\.6\.6/],
  ["a package below another", { chalk: { ...chalk, dependencies: { ms: { version: "1.0.0" } } } }, /chalk\/node_modules\/ms \(not there/],
])("halves of one file that differ in %s are told", (_, dependencies, words) => {
  const found = twice({ "node_modules/chalk": chalk }, dependencies).filter(({ rule }) => rule === "dependencies/lock-two-answers");
  expect(found).toMatchObject([{ severity: "medium", message: expect.stringMatching(words) }]);
});

test("links, aliases, repositories and members of a workspace, as npm writes them: nothing", () => {
  const packages = {
    "node_modules/chalk": chalk,
    "node_modules/alias": { ...chalk, name: "real", resolved: "https://registry.example/real/-/real-5.0.0.tgz" },
    "node_modules/mine": { resolved: "packages/mine", link: true },
    "packages/mine": { version: "1.0.0" },
    "packages/mine/node_modules/ms": { version: "1.0.0" },
    "node_modules/g": { version: "1.0.0", resolved: "git+ssh://git@git.example/g.git#0123" },
  };
  const dependencies = {
    ...{ chalk, alias: { ...packages["node_modules/alias"], version: "npm:real@5.0.0" }, g: { version: "git+ssh://git@git.example/g.git#0123", from: "g@g" } },
    mine: { version: "file:packages/mine", dependencies: { ms: { version: "1.0.0" } } },
  };
  expect(twice(packages, dependencies)).toEqual([]);
});

test("a file that npm wrote: nothing", () => {
  const text = readFileSync(join(import.meta.dirname, "../fixtures/package-lock.v2.json"), "utf8");
  expect(look(text).filter(({ rule }) => rule === "dependencies/lock-two-answers")).toEqual([]);
});

test("a name that is a weapon is told as text", () => {
  const [found] = twice({ "node_modules/chalk": chalk }, { chalk, "\u001b[31m\u202ex": { version: "1" }, __proto__: { version: "1" } });
  expect(JSON.stringify(found)).not.toMatch(/\\u001b|\u202e/);
});
