/** The rules of the house that no linter knows: what may be committed, how long a file gets, what stands in every package. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { absentPlatforms, platformEntry } from "../setup/complete-lock.ts";

const root = join(import.meta.dirname, "..");
const files = [...walk("")];
const sources = files.filter((file) => /\.(ts|c|h|py|sh|cjs|mjs|js)$/.test(file) || file === "plastron");

describe("what is committed", () => {
  /** `/home/user` is nobody. */
  const somebodys = new RegExp(`/(home/(?!user/)|Users/|work/)[a-z0-9_-]+/|${RegExp.escape(root)}/`);

  test("no path of somebody's machine", () => {
    expect(mentions(somebodys)).toEqual([]);
    expect(["", "home", "ann", "x"].join("/")).toMatch(somebodys);
  });

  test("no registry's host: each machine fetches from where it is told to", () => {
    expect(mentions(/registry[.](npmjs|yarnpkg|npmmirror)[.]|(files[.]pythonhosted|pypi)[.]org|(deb|security)[.]debian[.]org|archive[.]ubuntu/)).toEqual([]);
  });
});

describe("sources", () => {
  const lengths = sources.filter((file) => !isTest(file) && !isData(file)).map((file) => [file, read(file).split("\n").length - 1] as const);

  test("no file is over 300 lines", () => {
    expect(lengths.filter(([, lines]) => lines > 300)).toEqual([]);
  });

  test("a file has about a hundred lines", () => {
    const sorted = lengths.map(([, lines]) => lines).sort((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] as number;
    expect(median).toBeGreaterThan(40);
    expect(median).toBeLessThan(130);
  });

  test("every name says something", () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|core|misc)(\.[a-z]+$|\/)/.test(file))).toEqual([]);
  });

  test("no test is focused", () => {
    const focused = /\b(test|it|describe)[.]only\b/;
    expect(files.filter((file) => file.endsWith(".test.ts") && focused.test(read(file)))).toEqual([]);
  });
});

describe("packages", () => {
  const packages = readdirSync(join(root, "packages"));

  test.each(packages)("%s has a README of about 20 to 40 lines", (name) => {
    const lines = read(`packages/${name}/README.md`).trimEnd().split("\n").length;
    expect(lines).toBeGreaterThanOrEqual(15);
    expect(lines).toBeLessThanOrEqual(60);
  });

  test.each(packages)("%s has one door and the project's licence", (name) => {
    const manifest = JSON.parse(read(`packages/${name}/package.json`));
    expect(manifest).toMatchObject({ name: `@plastron/${name}`, license: "Apache-2.0", private: true, exports: { ".": "./index.ts" } });
  });
});

describe("package-lock.json", () => {
  const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, { resolved?: string; integrity?: string; optional?: boolean }> };

  test("names no address", () => {
    expect(Object.values(packages).filter(({ resolved }) => resolved?.includes("://"))).toEqual([]);
  });

  test("names every platform's package, or npm ci refuses it", () => {
    expect([...absentPlatforms(packages as Parameters<typeof absentPlatforms>[0])]).toEqual([]);
  });

  test("has a hash for everything that is installed on Linux with glibc, x64 or arm64", () => {
    const installed = Object.entries(packages).filter(
      ([path]) => path.includes("node_modules/") && !existsSync(join(root, "packages", path.split("@plastron/")[1] ?? "\0")),
    );
    const unhashed = installed.filter(([, entry]) => !entry.integrity).map(([path]) => path.replace(/^.*node_modules\//, ""));
    for (const name of unhashed) expect(() => platformEntry(name, "0")).not.toThrow();
    expect(unhashed.length).toBeLessThan(installed.length / 2);
  });

  test("versions are pinned exactly", () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read("package.json"));
    const loose = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(([, version]) => !/^\d/.test(version as string));
    expect(loose).toEqual([]);
  });
});

function mentions(pattern: RegExp): string[] {
  return files.flatMap((file) =>
    read(file)
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}`] : [])),
  );
}

/** Every file of the checkout that git would take, without asking git: an unpacked release has none. */
function* walk(directory: string): Iterable<string> {
  const ignored = new Set([".git", "node_modules", ".tools", ".plastron", "build", "coverage", "__pycache__", ".vitest"]);
  for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
    const path = directory ? `${directory}/${entry.name}` : entry.name;
    if (entry.isDirectory() && !ignored.has(entry.name)) yield* walk(path);
    else if (entry.isFile() && !entry.name.endsWith(".log")) yield path;
  }
}

function isTest(file: string): boolean {
  return /\.test\.ts$|\.conformance\.ts$|(^|\/)(test|fixtures|testing)\//.test(file);
}

/** Tables copied from the kernel's headers are as long as the kernel is. */
function isData(file: string): boolean {
  return /\/syscalls\/|\.data\.ts$/.test(file);
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}
