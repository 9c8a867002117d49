import { TYPICAL_HOST } from "@plastron/contracts";
import { describe, expect, test } from "vitest";
import { compilePolicy } from "../compile.ts";
import { parsePolicy } from "../parse/parse.ts";

type Rule = {
  qualifiers: string[];
  match: { hosts?: string[]; ports?: { port: number; endPort?: number }[]; paths?: { prefix: string }[]; methods?: string[] };
};
const host = { ...TYPICAL_HOST, egress: true };

/** The rows of a policy's rules for the way out. */
function rowsOf(
  httpRules: Rule[],
  { domains = [], defaultAction = "deny", rules = [] }: { domains?: string[]; defaultAction?: string; rules?: object[] } = {},
) {
  const policy = {
    enforcer: "NetworkProxy",
    mode: "EnhanceProtect",
    ...(domains.length > 0 ? { networkProxyConfig: { mitm: { domains } } } : {}),
    enhanceProtect: { networkProxyRawRules: { egress: { defaultAction, httpRules, rules } } },
  };
  const document = {
    apiVersion: "crd.varmor.org/v1beta1",
    kind: "VarmorPolicy",
    metadata: { name: "p" },
    spec: { target: { kind: "Pod", selector: { matchLabels: {} } }, policy },
  };
  return compilePolicy(parsePolicy(JSON.stringify(document)), host).fidelity.filter(({ rule }) => rule.startsWith("networkProxyRawRules"));
}
const rowOf = (rule: Rule, more?: Parameters<typeof rowsOf>[1]) => rowsOf([rule], more)[0];
const paths = [{ prefix: "/v1/" }];

describe("a rule on paths or methods", () => {
  test("that allows is approximate, since HTTPS that is not ended is not allowed by it, and says so", () => {
    for (const match of [{ paths }, { methods: ["GET"] }]) {
      expect(rowOf({ qualifiers: ["allow"], match: { hosts: ["api.test"], ...match } })).toMatchObject({
        fidelity: "approximate",
        note: expect.stringMatching(/^HTTPS to these hosts is not allowed by this rule: .*mitm\.domains/),
      });
    }
  });

  test("that denies, or only records, holds for all HTTPS that is not ended, and says so", () => {
    const note = (...qualifiers: string[]) => rowOf({ qualifiers, match: { hosts: ["api.test"], paths } });
    expect(note("deny")).toMatchObject({ fidelity: "stricter", note: expect.stringContaining("is denied whatever its path") });
    expect(note("audit")).toMatchObject({ fidelity: "stricter", note: expect.stringContaining("is recorded whatever its path") });
  });

  test.each([
    ["the host's TLS is ended", { hosts: ["api.test"] }, ["api.test"], false],
    ["it is ended by a name above", { hosts: ["a.b.api.test"] }, ["*.api.test"], false],
    ["every one's is", { hosts: ["api.test", "*.x.test"] }, ["api.test", "*.x.test"], false],
    ["only one of two is", { hosts: ["api.test", "other.test"] }, ["api.test"], true],
    ["only names below are", { hosts: ["api.test"] }, ["*.api.test"], true],
    ["it stands for every host", { hosts: ["*"] }, ["api.test"], true],
    ["it is about port 80 alone", { hosts: ["api.test"], ports: [{ port: 80 }] }, [], false],
    ["it is about port 443", { hosts: ["api.test"], ports: [{ port: 443 }] }, [], true],
    ["its ports go beyond 80", { hosts: ["api.test"], ports: [{ port: 80, endPort: 443 }] }, [], true],
  ])("where %s: %j, %j → %s", (_, match, domains, noted) => {
    expect(rowOf({ qualifiers: ["allow"], match: { ...match, paths } }, { domains })?.fidelity).toBe(noted ? "approximate" : "stricter");
  });
});

describe("a row of the way out is proved", () => {
  const allow = (...hosts: string[]): Rule => ({ qualifiers: ["allow"], match: { hosts } });
  const tested = (rows: ReturnType<typeof rowsOf>) => rows.map(({ self_tests, observes }) => (observes ? "observes" : self_tests.length));

  test("for rules that deny, for the default, and for names that are allowed where others are not", () => {
    expect(tested(rowsOf([allow("api.test"), { qualifiers: ["deny"], match: { hosts: ["evil.test"] } }]))).toEqual([1, 1, 1]);
    const [row] = rowsOf([allow("*.api.test")]);
    expect(row?.self_tests[0]?.allowed).toContain('resolve("plastron-probe.api.test")');
    expect(row?.self_tests[0]?.forbidden).toContain('resolve("plastron-probe-nobody.test")');
  });

  test.each([
    ["every name exists by default", [allow("api.test")], { defaultAction: "allow" }],
    ["every name may lead to an address that is allowed", [allow("api.test")], { rules: [{ qualifiers: ["allow"], ip: "1.2.3.4" }] }],
    ["another rule allows every name", [allow("api.test"), allow("*")], {}],
    ["another rule denies it", [allow("a.api.test"), { qualifiers: ["deny"], match: { hosts: ["*.api.test"] } }], {}],
    ["the host is an address", [allow("1.2.3.4")], {}],
  ])("except where nothing could be told, since %s", (_, rules, more) => {
    expect(rowsOf(rules, more).find(({ rule }) => rule.includes("httpRules[0]"))).toMatchObject({ observes: true, self_tests: [] });
  });
});
