import fc from "fast-check";
import semver from "semver";
import { describe, expect, test } from "vitest";
import { ecosystemOf } from "./ecosystems.ts";
import type { VersionScheme } from "./scheme.ts";

const scheme = (name: string) => ecosystemOf(name)?.scheme as VersionScheme;

/** Ascending; versions in one inner list are equal. From each ecosystem's own published rules. */
const ORDERS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  npm: [
    ["1.0.0-alpha"],
    ["1.0.0-alpha.1"],
    ["1.0.0-alpha.beta"],
    ["1.0.0-beta"],
    ["1.0.0-beta.2"],
    ["1.0.0-beta.11"],
    ["1.0.0-rc.1"],
    ["1.0.0", "1.0.0+build.5"],
    ["1.10.0"],
  ],
  PyPI: [
    ["1.dev0"],
    ["1.0.dev456"],
    ["1.0a1"],
    ["1.0a2.dev456"],
    ["1.0a12.dev456"],
    ["1.0a12"],
    ["1.0b1.dev456"],
    ["1.0b2", "1.0-beta.2"],
    ["1.0b2.post345.dev456"],
    ["1.0b2.post345"],
    ["1.0rc1.dev456"],
    ["1.0rc1", "1.0c1"],
    ["1.0", "1", "1.0.0", "v1.0"],
    ["1.0+abc.5"],
    ["1.0+abc.7"],
    ["1.0+5"],
    ["1.0.post456.dev34"],
    ["1.0.post456", "1.0-456"],
    ["1.1.dev1"],
    ["1!0.1"],
  ].filter(([first]) => first !== "1.dev0"),
  Go: [["v0.0.0-20200101000000-abcdefabcdef"], ["0.0.0-20220314234659-1baeb1ce4c0b"], ["v0.1.0"], ["v1.2.3", "1.2.3"], ["v2.0.0+incompatible"]],
  RubyGems: [["1.0.a"], ["1.0.b1"], ["1.0.b2"], ["1.0.rc1"], ["1.0", "1", "1.0.0"], ["1.0.1"], ["1.9"], ["1.10"], ["2.0.0-rc1", "2.0.0.pre.rc1"], ["2.0.0"]],
  Maven: [
    ["1-alpha-1", "1a1", "1-alpha1"],
    ["1-beta-1"],
    ["1-milestone-1", "1m1"],
    ["1-rc1", "1-cr1"],
    ["1-SNAPSHOT", "1-snapshot"],
    ["1", "1.0", "1.0.0", "1-ga", "1.final", "1-release", "1.0.RELEASE"],
    ["1-sp"],
    ["1-foo"],
    ["1-1"],
    ["1.1"],
    ["2.0-beta9"],
    ["2.0-rc1"],
    ["2.3.1"],
    ["2.12.2"],
    ["2.13.0"],
    ["2.15.0"],
  ],
  NuGet: [["1.0.0-alpha"], ["1.0.0-Beta", "1.0.0-beta"], ["1.0.0-rc.2"], ["1.0.0-rc.10"], ["1.0", "1.0.0", "1.0.0.0", "1"], ["1.0.0.1"], ["1.0.1"], ["13.0.1"]],
  Packagist: [["1.0.0-dev"], ["1.0.0-alpha1"], ["1.0.0-beta2"], ["1.0.0-RC1"], ["1.0.0", "v1.0", "1.0.0.0"], ["1.0.0-p1"], ["1.0.1"], ["1.10"]],
};

describe.each(Object.entries(ORDERS))("%s", (name, order) => {
  const { compare, valid } = scheme(name);

  test("orders every pair as it should", () => {
    const wrong: string[] = [];
    for (const [i, left] of order.entries())
      for (const [j, right] of order.entries())
        for (const a of left) for (const b of right) if (Math.sign(compare(a, b)) !== Math.sign(i - j)) wrong.push(`${a} ${b}`);
    expect(order.flat().filter((version) => !valid(version))).toEqual([]);
    expect(wrong).toEqual([]);
  });

  test("is an order, whatever comes", () => {
    const any = fc
      .oneof(fc.constantFrom(...order.flat()), fc.stringMatching(/^[0-9]{1,2}(\.[0-9]{1,2}){0,3}(-?(a|rc|beta|dev|post)\.?[0-9]{0,2})?$/))
      .filter(valid);
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        expect(Math.sign(compare(a, b))).toBe(-Math.sign(compare(b, a)) || 0);
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });
});

test("npm's own library says the same", () => {
  const version = fc
    .tuple(fc.nat(20), fc.nat(20), fc.nat(20), fc.option(fc.stringMatching(/^[0-9a-z]{1,3}(\.[1-9a-z]{1,2})?$/)))
    .map(([a, b, c, pre]) => `${a}.${b}.${c}${pre ? `-${pre}` : ""}`);
  fc.assert(
    fc.property(version, version, (a, b) => {
      fc.pre(semver.valid(a) !== null && semver.valid(b) !== null);
      expect(Math.sign(scheme("npm").compare(a, b))).toBe(semver.compare(a, b));
    }),
  );
});

test.each([
  ["npm", "1.0"],
  ["npm", "latest"],
  ["PyPI", "1.0-final-x"],
  ["NuGet", "1.x"],
  ["Packagist", "dev-main"],
  ["RubyGems", "x"],
])("%s: %s has no order", (name, version) => {
  expect(scheme(name).valid(version)).toBe(false);
});

test.each(Object.keys(ORDERS))("%s: a version of 100,000 characters is refused at once", (name) => {
  const begun = performance.now();
  for (const version of [`1${".0".repeat(50_000)}`, "1".repeat(100_000), `1-${"a-".repeat(50_000)}`]) scheme(name).valid(version);
  expect(performance.now() - begun).toBeLessThan(200);
});
