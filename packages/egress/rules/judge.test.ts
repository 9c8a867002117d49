import type { NetworkRules } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../address/address.ts";
import { network } from "../testing/rules.ts";
import { compileRules } from "./compiled.ts";
import { judge, judgeName, needsLook, type Subject } from "./judge.ts";
import { meaningsOf } from "./path.ts";

const names = Array.from({ length: 9 }, (_, i) => ({ id: `rule${i}`, path: `spec[${i}]` }));
const under = (rules: Partial<NetworkRules>) => compileRules({ ...network, ...rules }, names);
const subject = (more: Partial<Subject> = {}): Subject => ({
  name: "api.test",
  claims: [],
  address: parseAddress("8.8.8.8") as Uint8Array,
  port: 443,
  seen: { kind: "stream" },
  ...more,
});
const request = (method: string, path: string, more: Partial<Subject> = {}) =>
  subject({ claims: ["api.test"], seen: { kind: "http", method, paths: meaningsOf(path) }, ...more });
const http = (verdict: "allow" | "deny" | "none", match: Partial<NetworkRules["http"][number]["match"]>, rule = 1, audit = true) => ({
  rule,
  verdict,
  audit,
  match: { hosts: [], ports: [], paths: [], methods: [], ...match },
});
const l4 = (verdict: "allow" | "deny" | "none", cidr: string | null, ports: [number, number][] = [], rule = 2, audit = true) => ({
  rule,
  verdict,
  audit,
  cidr,
  ports,
});

describe("the order of rules", () => {
  it("is deny, allow, default, whatever their order in the policy", () => {
    const rules = under({ http: [http("allow", { hosts: ["api.test"] }), http("deny", { paths: [{ kind: "prefix", path: "/admin/" }] }, 3)] });
    expect(judge(rules, request("GET", "/get"))).toMatchObject({ allowed: true, rule: 1, records: [{ rule: 1, action: "ALLOWED" }] });
    expect(judge(rules, request("GET", "/admin/x"))).toMatchObject({ allowed: false, final: true, rule: 3, records: [{ rule: 3, action: "DENIED" }] });
    expect(judge(rules, request("GET", "/get", { name: "other.test", claims: ["other.test"] }))).toMatchObject({
      allowed: false,
      rule: 0,
      records: [{ rule: 0, action: "DENIED" }],
    });
  });

  it("holds across rules on addresses and on requests", () => {
    const rules = under({ http: [http("allow", { hosts: ["api.test"] })], addresses: [l4("deny", "8.8.0.0/16"), l4("allow", null, [[5432, 5432]], 4)] });
    expect(judge(rules, request("GET", "/"))).toMatchObject({ allowed: false, rule: 2 });
    expect(judge(rules, subject({ address: parseAddress("9.9.9.9") as Uint8Array, port: 5432 }))).toMatchObject({ allowed: true, rule: 4 });
  });

  it("lets rules that only audit follow the default, and record", () => {
    const watching = [http("none", { hosts: ["api.test"] })];
    expect(judge(under({ default_action: "allow", default_rule: null, http: watching }), request("GET", "/"))).toMatchObject({
      allowed: true,
      records: [{ rule: 1, action: "AUDIT" }],
    });
    expect(judge(under({ http: watching }), request("GET", "/"))).toMatchObject({ allowed: false, records: [{ rule: 1, action: "DENIED" }] });
  });

  it("holds what other rules of the policy deny against every address", () => {
    const rules = under({ default_action: "allow", default_rule: null, denied: [{ rule: 5, audit: true, cidr: "8.8.8.8/32", ports: [] }] });
    expect(judge(rules, request("GET", "/"))).toMatchObject({ allowed: false, rule: 5 });
    expect(judge(rules, subject({ address: parseAddress("::ffff:8.8.8.8") as Uint8Array }))).toMatchObject({ allowed: false, rule: 5 });
  });
});

describe("what cannot be seen", () => {
  const path = [{ kind: "exact" as const, path: "/get" }];
  it("never makes a rule allow", () => {
    for (const match of [{ paths: path }, { methods: ["GET"] }]) {
      const rules = under({ http: [http("allow", { hosts: ["api.test"], ...match })] });
      expect(judge(rules, request("GET", "/get")).allowed).toBe(true);
      expect(judge(rules, subject({ claims: ["api.test"], seen: { kind: "tls" } })).allowed).toBe(false);
      expect(judge(rules, subject()).allowed).toBe(false);
    }
    expect(judge(under({ http: [http("allow", { hosts: ["api.test"] })] }), subject()).allowed).toBe(false); // neither TLS nor HTTP
  });

  it("makes a rule deny that could", () => {
    const rules = under({ default_action: "allow", default_rule: null, http: [http("deny", { hosts: ["api.test"], paths: path })] });
    for (const seen of [{ kind: "tls" as const }, { kind: "stream" as const }]) expect(judge(rules, subject({ seen })).allowed).toBe(false);
    expect(judge(rules, subject({ name: "other.test" })).allowed).toBe(true);
  });

  it("makes no host of a name that was not connected to", () => {
    const rules = under({ http: [http("allow", { hosts: ["api.test"] })] });
    expect(judge(rules, request("GET", "/", { name: "cdn.test" })).allowed).toBe(false);
    expect(judge(rules, request("GET", "/", { claims: ["cdn.test"] })).allowed).toBe(false);
    const denying = under({ default_action: "allow", default_rule: null, http: [http("deny", { hosts: ["evil.test"] })] });
    for (const one of [{ name: "evil.test" }, { claims: ["evil.test"] }])
      expect(judge(denying, subject({ ...one, seen: { kind: "tls" } })).allowed).toBe(false);
  });
});

describe("names and paths in rules", () => {
  it("are compared as they are written, with * for every name below", () => {
    const rules = under({ http: [http("allow", { hosts: ["*.api.test"] })] });
    const by = (name: string) => judge(rules, request("GET", "/", { name, claims: [name] })).allowed;
    expect([by("a.api.test"), by("a.b.api.test"), by("api.test"), by("evilapi.test"), by(".api.test")]).toEqual([true, true, false, false, false]);
  });

  it("deny in any case and any spelling, and allow in one alone", () => {
    const deny = under({ default_action: "allow", default_rule: null, http: [http("deny", { paths: [{ kind: "prefix", path: "/admin/" }] })] });
    for (const path of ["/ADMIN/x", "/a/../admin/x", "/%61dmin/x", "//admin/x"]) expect(judge(deny, request("GET", path)).allowed, path).toBe(false);
    expect(judge(deny, request("get", "/admin/x")).allowed).toBe(false);
    const allow = under({ http: [http("allow", { paths: [{ kind: "prefix", path: "/get/" }], methods: ["GET"] })] });
    for (const path of ["/get/../admin", "/get/%2e%2e/admin", "/GET/x", "/get/..;/admin"]) expect(judge(allow, request("GET", path)).allowed, path).toBe(false);
    expect(judge(allow, request("get", "/get/x")).allowed).toBe(false);
    expect(judge(allow, request("GET", "/get/group%2Fproject")).allowed).toBe(true);
  });
});

describe("a name", () => {
  it("exists where a rule could let it through, and is looked into where that depends on what is said", () => {
    const rules = under({ http: [http("allow", { hosts: ["api.test"], ports: [[443, 443]] }), http("deny", { hosts: ["evil.test"] }, 3)] });
    expect(["api.test", "other.test", "evil.test"].map((name) => judgeName(rules, name).allowed)).toEqual([true, false, false]);
    expect(judgeName(rules, "other.test").records).toEqual([{ rule: 0, action: "DENIED" }]);
    expect(judgeName(under({ addresses: [l4("allow", "8.8.8.8/32")] }), "any.test").allowed).toBe(true);
    expect([needsLook(rules, "api.test", 443), needsLook(rules, "api.test", 22), needsLook(rules, "other.test", 443)]).toEqual([true, true, true]);
    const allowing = under({ http: [http("allow", { hosts: ["api.test"], ports: [[443, 443]] })] });
    expect([needsLook(allowing, "api.test", 443), needsLook(allowing, "api.test", 22), needsLook(allowing, "other.test", 443)]).toEqual([true, false, false]);
  });
});

describe("a set within another one", () => {
  const policy = (more: Partial<NetworkRules>) => ({ default_action: "deny" as const, default_rule: 8, addresses: [], http: [], ...more });
  const asked = { http: [http("allow", { hosts: ["api.test", "more.test"] }, 1, false)] };

  it("allows what both allow, and names the one that denies", () => {
    const rules = under({ ...asked, within: policy({ http: [http("allow", { hosts: ["api.test"], methods: ["GET"] }, 3)] }) });
    expect(judge(rules, request("GET", "/"))).toMatchObject({ allowed: true, records: [{ rule: 3, action: "ALLOWED" }] });
    expect(judge(rules, request("POST", "/"))).toMatchObject({ allowed: false, rule: 8, records: [{ rule: 8, action: "DENIED" }] });
    expect(judge(rules, request("GET", "/", { name: "more.test", claims: ["more.test"] }))).toMatchObject({ allowed: false, rule: 8 });
    const wide = under({ ...asked, within: policy({ default_action: "allow", default_rule: null }) });
    expect(judge(wide, request("GET", "/", { name: "other.test", claims: ["other.test"] }))).toMatchObject({ allowed: false, rule: 0 });
    expect([judgeName(rules, "api.test"), judgeName(rules, "more.test"), judgeName(wide, "other.test")].map(({ allowed }) => allowed)).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("keeps the outer one's denials, whatever the inner one lists, and looks into what they are about", () => {
    const within = policy({ default_action: "allow", default_rule: null, http: [http("deny", { paths: [{ kind: "prefix", path: "/admin" }] }, 4)] });
    const rules = under({ ...asked, within });
    expect(judge(rules, request("GET", "/admin/x"))).toMatchObject({ allowed: false, final: true, rule: 4 });
    expect(judge(rules, request("GET", "/x"))).toMatchObject({ allowed: true });
    expect(needsLook(under({ addresses: [l4("allow", "8.0.0.0/8")], within }), "x.test", 443)).toBe(true);
  });

  it("opens an inward address by the outer one's word alone", () => {
    const inner = { addresses: [l4("allow", "10.0.0.0/8")] };
    expect(under(inner).named(443)).toHaveLength(1);
    expect(under({ ...inner, within: policy({ default_action: "allow" }) }).named(443)).toEqual([]);
  });
});

describe("a rule on addresses that are dialled as such", () => {
  const rules = under({
    addresses: [{ ...l4("allow", "8.8.8.0/24"), literal: true }],
    http: [http("allow", { hosts: ["api.test"], streams: true, ports: [[5432, 5432]] })],
  });

  it("lets no name lead there, so that no name is looked up for it", () => {
    expect(judge(rules, subject({ name: "8.8.8.8" }))).toMatchObject({ allowed: true });
    expect(judge(rules, subject({ name: "x.test" }))).toMatchObject({ allowed: false, needsAddress: false });
    expect(judge(rules, subject({ name: "x.test", address: null }))).toMatchObject({ allowed: false, needsAddress: false });
    expect(judge(under({ addresses: [l4("allow", "8.8.8.0/24")] }), subject({ name: "x.test", address: null }))).toMatchObject({ needsAddress: true });
    expect(judgeName(rules, "x.test").allowed).toBe(false);
  });

  it("stands beside one on a host that holds for what is neither TLS nor HTTP", () => {
    expect(judge(rules, subject({ port: 5432 })).allowed).toBe(true);
    expect(judge(rules, subject()).allowed).toBe(false);
  });
});
