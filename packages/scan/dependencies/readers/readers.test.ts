import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Listing } from "../facts.ts";
import { descents } from "../graph.ts";
import { readerOf } from "./choose.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "../fixtures", name), "utf8");

function read(name: string, as: string): Listing {
  const { listings, gaps } = readerOf(as)?.(fixture(name), as) ?? { listings: [], gaps: [] };
  expect(gaps).toEqual([]);
  return listings[0] as Listing;
}

const named = (listing: Listing, name: string, version?: string) =>
  listing.packages.findIndex((each) => each.name === name && (version === undefined || each.version === version));

const pathOf = (listing: Listing, name: string, version?: string) =>
  descents(listing)(named(listing, name, version)).path.map((index) => listing.packages[index]?.name);

/** One project, locked by every tool: what they say must agree. */
describe.each([
  ["package-lock.v2.json", "package-lock.json"],
  ["package-lock.v3.json", "package-lock.json"],
  ["pnpm-lock.v5.yaml", "pnpm-lock.yaml"],
  ["pnpm-lock.v6.yaml", "pnpm-lock.yaml"],
  ["pnpm-lock.v9.yaml", "pnpm-lock.yaml"],
  ["yarn.berry.lock", "yarn.lock"],
  ["bun.lock", "bun.lock"],
])("%s", (name, as) => {
  const listing = read(name, as);

  test("names what npm's own lock file names, in the same versions", () => {
    const seen = new Set(listing.packages.filter(({ version }) => version !== "").map((each) => `${each.name}@${each.version}`));
    const expected = read("package-lock.v3.json", "package-lock.json").packages.map((each) => `${each.name}@${each.version}`);
    // Yarn and pnpm resolve some ranges otherwise, and Yarn brings node-gyp.
    if (/^(yarn|pnpm)/.test(name)) expect([...seen]).toEqual(expect.arrayContaining(expected));
    else expect([...seen].sort()).toEqual([...new Set(expected)].sort());
  });

  test("knows the way to each: through a member of the workspace, by an alias, for development", () => {
    expect(pathOf(listing, "qs", "6.7.0")).toEqual(expect.arrayContaining(["express", "qs"]));
    expect(pathOf(listing, "qs", "6.5.2")).toEqual(["qs"]);
    expect(pathOf(listing, "minimist", "1.2.5")).toEqual(["minimist"]);
    expect(pathOf(listing, "@babel/highlight")).toEqual(["@babel/code-frame", "@babel/highlight"]);
    if (name !== "yarn.berry.lock") expect(descents(listing)(named(listing, "json5")).group).toBe("development");
  });

  test("has the line of each", () => {
    const { line } = listing.packages[named(listing, "lodash")] ?? { line: 0 };
    expect(fixture(name).split("\n")[line - 1]).toContain("lodash");
    expect(listing.packages[named(listing, "lodash")]?.unhashed).toBeUndefined();
  });
});

describe.each([
  ["package-lock.v1.json", "package-lock.json"],
  ["yarn.v1.lock", "yarn.lock"],
])("%s", (name, as) => {
  test("names the same, and the edges below", () => {
    const listing = read(name, as);
    const expected = read("package-lock.v3.json", "package-lock.json").packages.map((each) => `${each.name}@${each.version}`);
    const seen = listing.packages.filter(({ version, origin }) => version !== "" && origin !== "path").map((each) => `${each.name}@${each.version}`);
    expect(seen).toEqual(expect.arrayContaining(expected));
    expect(pathOf(listing, "@babel/helper-validator-identifier").slice(-2)).toEqual(["@babel/highlight", "@babel/helper-validator-identifier"]);
  });
});

/** One project of Python. */
describe.each([
  ["uv.lock", "uv.lock", true],
  ["pylock.toml", "pylock.toml", false],
  ["uv-export.txt", "requirements.txt", true],
  ["Pipfile.lock", "Pipfile.lock", false],
  ["poetry.lock", "poetry.lock", false],
])("%s", (name, as, told) => {
  const listing = read(name, as);

  test("names its packages, with hashes", () => {
    expect(listing.packages[named(listing, "jinja2", "2.11.2")]?.hashes?.[0]?.[0]).toBe("sha256");
    expect(listing.packages.filter(({ unhashed }) => unhashed)).toEqual([]);
  });

  test("knows the way to a package that nobody asked for by name", () => {
    if (told) expect(pathOf(listing, "urllib3")).toEqual(["requests", "urllib3"]);
    expect(named(listing, "urllib3")).toBeGreaterThanOrEqual(0);
  });

  test("has the line of each", () => {
    expect(
      fixture(name)
        .split("\n")
        .slice((listing.packages[named(listing, "jinja2")]?.line ?? 0) - 1)[0],
    ).toMatch(/jinja2|\[\[package/i);
  });
});

test("pyproject.toml says what is asked for and for what", () => {
  const text = `[project]\nname = "a"\ndependencies = ["jinja2==2.11.2; python_version<'4'", "x @ git+https://git.example/x"]\n[dependency-groups]\ndev = ["Foo_Bar>=1"]\n[tool.poetry.dependencies]\npython = "^3"\nflask = {version = "1.0", optional = true}\n`;
  const roots = readerOf("pyproject.toml")?.(text, "pyproject.toml").listings[0]?.roots;
  expect(roots).toMatchObject([
    { name: "jinja2", range: "==2.11.2", group: "production", line: 3 },
    { name: "x", origin: "git" },
    { name: "foo-bar", range: ">=1", group: "development", line: 5 },
    { name: "flask", range: "==1.0", group: "optional", line: 8 },
  ]);
});

test("requirements.txt: options, markers, continued lines, addresses and hashes", () => {
  const text =
    "-r base.txt\n-c limits.txt\n--index-url https://index.example\nflask[async]==1.0 ; python_version < '4'  # pinned\nrequests \\\n  >=2,<3\n-e git+https://git.example/a.git#egg=a-b\nfoo==1.* \nbar===1.0.post1 --hash=sha256:aa\nbaz @ https://x.example/baz-1.0.whl\n./local\n";
  const listing = readerOf("requirements.txt")?.(text, "requirements.txt").listings[0] as Listing;
  expect(listing.includes).toEqual([
    { path: "base.txt", constraint: false, line: 1 },
    { path: "limits.txt", constraint: true, line: 2 },
  ]);
  expect(listing.packages.map(({ name, version, origin, line }) => [name, version, origin, line])).toEqual([
    ["flask", "1.0", undefined, 4],
    ["a-b", "", "git", 7],
    ["bar", "1.0.post1", undefined, 9],
    ["baz", "", "url", 10],
  ]);
  expect(listing.roots.map(({ name, range, target }) => [name, range, target])).toEqual([
    ["flask", "==1.0", 0],
    ["requests", ">=2,<3", -1],
    ["a-b", "", 1],
    ["foo", "==1.*", -1],
    ["bar", "===1.0.post1", 2],
    ["baz", "", 3],
  ]);
});

const brief = (path: string, text: string) => readerOf(path)?.(text, path).listings[0]?.packages.map(({ name, version, line }) => `${name}@${version}:${line}`);

describe("lock files of other ecosystems", () => {
  test("Cargo.lock", () => {
    const text = `version = 4\n\n[[package]]\nname = "app"\nversion = "0.1.0"\ndependencies = [\n "regex",\n]\n\n[[package]]\nname = "regex"\nversion = "1.5.4"\nsource = "registry+https://index.example"\nchecksum = "${"a".repeat(64)}"\ndependencies = ["memchr 2.0.0"]\n\n[[package]]\nname = "memchr"\nversion = "2.0.0"\nsource = "registry+https://index.example"\n`;
    expect(brief("Cargo.lock", text)).toEqual(["app@0.1.0:3", "regex@1.5.4:10", "memchr@2.0.0:17"]);
    const listing = readerOf("Cargo.lock")?.(text, "Cargo.lock").listings[0] as Listing;
    expect(descents(listing)(2).path.map((index) => listing.packages[index]?.name)).toEqual(["regex", "memchr"]);
  });

  test("go.mod", () => {
    const text =
      "module example.com/a\n\ngo 1.21.3\n\nrequire golang.org/x/crypto v0.16.0\n\nrequire (\n\tgithub.com/a/b v1.2.3\n\tgithub.com/c/d v0.0.0-20200101000000-abcdefabcdef // indirect\n)\n";
    expect(brief("go.mod", text)).toEqual([
      "stdlib@1.21.3:3",
      "golang.org/x/crypto@v0.16.0:5",
      "github.com/a/b@v1.2.3:8",
      "github.com/c/d@v0.0.0-20200101000000-abcdefabcdef:9",
    ]);
    expect(readerOf("go.mod")?.(text, "go.mod").listings[0]?.roots.map(({ name }) => name)).toEqual(["golang.org/x/crypto", "github.com/a/b"]);
  });

  test("Gemfile.lock", () => {
    const text =
      "GEM\n  remote: https://gems.example/\n  specs:\n    activerecord (6.1.4)\n      activemodel (= 6.1.4)\n    activemodel (6.1.4)\n    nokogiri (1.12.0-x86_64-linux)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  activerecord (~> 6.1)\n  nokogiri!\n";
    expect(brief("Gemfile.lock", text)).toEqual(["activerecord@6.1.4:4", "activemodel@6.1.4:6", "nokogiri@1.12.0:7"]);
    const listing = readerOf("Gemfile.lock")?.(text, "Gemfile.lock").listings[0] as Listing;
    expect(pathOf(listing, "activemodel")).toEqual(["activerecord", "activemodel"]);
  });

  test("composer.lock, gradle.lockfile, pom.xml, environment.yml", () => {
    expect(
      brief("composer.lock", JSON.stringify({ packages: [{ name: "A/b", version: "v1.2.3" }], "packages-dev": [{ name: "c/d", version: "2.0" }] })),
    ).toEqual(["a/b@1.2.3:1", "c/d@2.0:1"]);
    expect(brief("gradle.lockfile", "# comment\norg.a:b:1.0=runtimeClasspath\nempty=x\n")).toEqual(["org.a:b@1.0:2"]);
    const pom =
      "<project>\n<properties><v>2.14.0</v></properties>\n<!-- <dependency><groupId>x</groupId><artifactId>y</artifactId><version>1</version></dependency> -->\n<dependencies>\n<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>${v}</version></dependency>\n<dependency><groupId>a</groupId><artifactId>b</artifactId></dependency></dependencies></project>";
    expect(brief("pom.xml", pom)).toEqual(["org.apache.logging.log4j:log4j-core@2.14.0:5"]);
    expect(readerOf("pom.xml")?.(pom, "pom.xml").gaps).toMatchObject([{ reason: "declared_only" }]);
    const conda = "name: x\ndependencies:\n  - numpy=1.21\n  - pip:\n    - flask==1.0\n    - requests>=2\n";
    expect(brief("environment.yml", conda)).toEqual(["flask@1.0:2"]);
    expect(readerOf("environment.yml")?.(conda, "environment.yml").gaps).toMatchObject([{ reason: "ecosystem_not_supported", matters: false }]);
  });
});

test.each([
  ["package-lock.json", true],
  ["a/b/requirements-dev.txt", true],
  ["requirements/base.txt", true],
  ["node_modules/x/package.json", true],
  ["node_modules/@s/x/package.json", true],
  ["node_modules/.package-lock.json", true],
  ["venv/lib/python3/site-packages/x-1.0.dist-info/METADATA", true],
  ["node_modules/x/test/fixture/package.json", false],
  ["node_modules/x/package-lock.json", false],
  ["node_modules/x/yarn.lock", false],
  ["site-packages/x/requirements.txt", false],
  ["site-packages/x/pyproject.toml", false],
  ["src/requirements.ts", false],
  ["setup.py", true],
  ["site-packages/x/setup.py", false],
  ["site-packages/x-1.0.dist-info/sboms/x.cdx.xml", true],
  ["tools/run.py.lock", true],
  ["node_modules/x/bun.lockb", false],
  ["given-alone.json", true],
  ["deep/any.json", false],
  ["notes.txt", false],
])("%s is read: %s", (path, read) => {
  expect(readerOf(path) !== undefined).toBe(read);
});
