import { PlastronError } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readLine } from "../raw/apparmor/rule.ts";
import { statementsOf } from "../raw/apparmor/statements.ts";
import { policyText } from "../raw/testing/policy-text.ts";
import { parsePolicy } from "./parse.ts";

const SIZE = 64 * 1024;

/** Milliseconds of processor time, not of the clock: tests run beside each other. The best of three, since a collector may run. */
function cost(run: () => unknown): number {
  return Math.min(
    ...Array.from({ length: 3 }, () => {
      const before = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    }),
  );
}

function reading(text: string, upstreamCompat = false): void {
  try {
    parsePolicy(text, { upstreamCompat });
  } catch (error) {
    expect(error).toBeInstanceOf(PlastronError);
  }
}

const word = fc.constantFrom(
  ...'deny audit owner allow capability network mount umount ptrace signal unix userns file include #include profile { } ( ) [ ] , -> / ** * ? {a,b} @{PROC} @{x " \\ \n r rw rwklmx x = in fstype=proc options=(ro,bind) set=(kill) peer=x sys_admin inet tcp # constructor __proto__'.split(
    " ",
  ),
);
const soup = fc.array(fc.oneof({ weight: 6, arbitrary: word }, fc.string({ unit: "binary", maxLength: 6 })), { maxLength: 40 });

describe("AppArmor text, whatever it is,", () => {
  test("is read or reported line by line, and never throws", () => {
    fc.assert(
      fc.property(soup, fc.constantFrom("", " ", "\n"), (parts, between) => {
        const text = parts.join(between);
        for (const { text: rule, line } of statementsOf(text)) {
          const { meaning } = readLine(rule);
          expect(line).toBeLessThanOrEqual(text.split("\n").length);
          if ("unsupported" in meaning) expect(meaning.unsupported).not.toBe("");
          else for (const intent of meaning.intents) if (intent.kind === "file") expect(intent.glob).toMatch(/^\//);
        }
        const rules = JSON.stringify({ appArmorRawRules: [{ rules: text }] });
        reading(policyText(rules));
        reading(
          policyText(
            {},
            { mode: "DefenseInDepth", enforcer: "AppArmor", policy: { defenseInDepth: { appArmor: { profileType: "Custom", customProfile: text } } } },
          ),
        );
      }),
      { numRuns: 400 },
    );
  });

  test("loses no rule: every line with a comma comes out once", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("deny /a r,", "audit deny capability kill,", "deny mount options=(ro, bind),", "deny /{a,b}/c w,"), { maxLength: 20 }),
        (lines) => {
          expect(statementsOf(lines.join("\n")).map(({ text, line }) => [`${text},`, line])).toEqual(lines.map((line, i) => [line, i + 1]));
        },
      ),
    );
  });

  test.each([
    ["rules", "deny /a r,\n"],
    ["open brackets", "{a,"],
    ["alternations", "/{a,b}"],
    ["nested alternations", "/{a,{b,"],
    ["quotes", '"'],
    ["includes", "#include <x>\n"],
    ["blanks", " "],
    ["variables", "@{PROC}"],
    ["round brackets", "mount options=("],
    ["sets", "/[a"],
    ["stars", "**/"],
    ["braces and blanks", "{ "],
    ["backslashes", "\\"],
    ["words", "deny "],
  ])("costs less than 150 ms for 64 kB of %s", (_, piece) => {
    const text = piece.repeat(Math.ceil(SIZE / piece.length)).slice(0, SIZE);
    const run = () => statementsOf(text).map(({ text: rule }) => readLine(rule));
    run();
    expect(cost(run)).toBeLessThan(150);
  });
});

describe("a policy of 64 kB", () => {
  const many = (one: string, more: object = {}) => {
    const room = SIZE - JSON.stringify(more).length - 400;
    return policyText(`{${JSON.stringify(more).slice(1, -1)}bpfRawRules: {files: [${`${one}, `.repeat(Math.floor(room / (one.length + 2)))}]}}`);
  };
  test.each([
    ["noise", "\u0001x y\n".repeat(SIZE / 5)],
    ["letters", "a".repeat(SIZE)],
    ["open brackets", "[".repeat(SIZE)],
    ["open braces", "{".repeat(SIZE)],
    ["a long pattern", policyText(JSON.stringify({ bpfRawRules: { files: [{ qualifiers: ["deny"], pattern: "a*".repeat(SIZE / 2), permissions: ["r"] }] } }))],
    [
      "a long address",
      policyText(JSON.stringify({ bpfRawRules: { network: { egress: { toDestinations: [{ qualifiers: ["deny"], ip: "1:".repeat(SIZE / 2) }] } } } })),
    ],
    [
      "a long host",
      policyText(
        JSON.stringify({
          networkProxyRawRules: { egress: { defaultAction: "deny", httpRules: [{ qualifiers: ["deny"], match: { hosts: ["a-".repeat(SIZE / 2)] } }] } },
        }),
      ),
    ],
    [
      "a deep seccomp profile",
      policyText(
        {},
        { mode: "DefenseInDepth", enforcer: "Seccomp", policy: { defenseInDepth: { seccomp: { profileType: "Custom", customProfile: "[".repeat(SIZE) } } } },
      ),
    ],
    ["a long enforcer", policyText({}, { enforcer: `BPF${"bpx".repeat(SIZE / 3)}` })],
  ])("costs less than 150 ms if it is %s", (_, text) => {
    reading(text);
    expect(cost(() => reading(text))).toBeLessThan(150);
  });

  /** The library that reads YAML takes most of it; what must not be is that it grows with the square. */
  test.each([
    ["misspelt permissions", many("{qualifiers: [deny], pattern: /x, permissions: [reed]}")],
    ["illegal patterns", many("{qualifiers: [deny], pattern: /x/*, permissions: [r]}")],
    ["misspelt system calls", policyText(`{syscallRawRules: [{action: SCMP_ACT_ERRNO, names: [${"spliceee, ".repeat(6000)}]}]}`)],
    ["misspelt rules", policyText(`{hardeningRules: [${"disable-cap-kil, ".repeat(3600)}]}`)],
  ])("full of %s costs less than 1.5 s", (_, text) => {
    reading(text);
    expect(cost(() => reading(text))).toBeLessThan(1500);
    expect(() => parsePolicy(text)).toThrow(PlastronError);
  });
});
