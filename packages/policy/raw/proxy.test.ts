import type { NetworkRules, WatchedRule } from "@plastron/contracts";
import { networkSchema } from "@plastron/contracts";
import { describe, expect, test } from "vitest";
import { networkRules } from "./index.ts";
import { faultsOf, parsed, rawOf } from "./testing/policy-text.ts";

type More = Parameters<typeof parsed>[1];
const proxy = (egress: object) => ({ networkProxyRawRules: { egress: { defaultAction: "deny", ...egress } } });
const mitm = (config: object): More => ({ policy: { networkProxyConfig: { mitm: config } } });

function read(rules: object, more?: More): { network: NetworkRules | null; rules: WatchedRule[] } {
  const allocated: WatchedRule[] = [];
  const network = networkRules(parsed(rules, more), (rule) => allocated.push(rule) - 1);
  if (network) networkSchema.parse(network);
  return { network, rules: allocated };
}

describe("the policy of upstream's end-to-end test", () => {
  const postman = proxy({
    httpRules: [
      { qualifiers: ["deny"], description: "x", match: { hosts: ["postman-echo.com"], paths: [{ prefix: "/admin/" }, { exact: "/secret" }] } },
      { qualifiers: ["allow", "audit"], match: { hosts: ["Postman-Echo.com."], paths: [{ exact: "/get" }, { prefix: "/headers" }], methods: ["get"] } },
    ],
  });
  const config = {
    domains: ["postman-echo.com"],
    headerMutations: [{ domain: "postman-echo.com", headers: [{ name: "X-Request-Source", value: "varmor-agent" }] }],
  };

  test("is what the way out lets pass", () => {
    const { network, rules } = read(postman, { enforcer: "NetworkProxy", ...mitm(config) });
    expect(rules.map(({ id, enforcer, operation }) => [id, enforcer, operation])).toEqual([
      ["networkProxyRawRules.egress.httpRules[0]", "NetworkProxy", "network"],
      ["networkProxyRawRules.egress.httpRules[1]", "NetworkProxy", "network"],
      ["networkProxyRawRules.egress.defaultAction", "NetworkProxy", "network"],
    ]);
    expect(network).toEqual({
      default_action: "deny",
      default_rule: 2,
      addresses: [],
      http: [
        {
          rule: 0,
          verdict: "deny",
          audit: true,
          match: {
            hosts: ["postman-echo.com"],
            ports: [],
            paths: [
              { kind: "prefix", path: "/admin/" },
              { kind: "exact", path: "/secret" },
            ],
            methods: [],
          },
        },
        {
          rule: 1,
          verdict: "allow",
          audit: true,
          match: {
            hosts: ["postman-echo.com"],
            ports: [],
            paths: [
              { kind: "exact", path: "/get" },
              { kind: "prefix", path: "/headers" },
            ],
            methods: ["GET"],
          },
        },
      ],
      mitm: {
        domains: ["postman-echo.com"],
        mutations: [{ domain: "postman-echo.com", headers: [{ name: "X-Request-Source", value: "varmor-agent", secret: null }] }],
      },
      denied: [],
    });
  });
});

describe("rules for a proxy", () => {
  test("on addresses are canonical, and audits follow upstream's default", () => {
    const rules = [
      { qualifiers: ["allow"], ip: "10.96.0.1", ports: [{ port: 6443 }] },
      { qualifiers: ["deny"], cidr: "169.254.1.1/16" },
      { qualifiers: ["audit"], ports: [{ port: 22 }] },
    ];
    const verdicts = (defaultAction: string) => read(proxy({ rules, defaultAction })).network?.addresses.map(({ verdict, audit }) => [verdict, audit]);
    expect(read(proxy({ rules })).network?.addresses.map(({ cidr, ports }) => [cidr, ports])).toEqual([
      ["10.96.0.1/32", [[6443, 6443]]],
      ["169.254.0.0/16", []],
      [null, [[22, 22]]],
    ]);
    expect(verdicts("Deny")).toEqual([
      ["allow", false],
      ["deny", true],
      ["none", true],
    ]);
    expect(verdicts("ALLOW")).toEqual([
      ["allow", false],
      ["deny", false],
      ["none", true],
    ]);
    expect(read(proxy({ rules, defaultAction: "allow" })).network).toMatchObject({ default_action: "allow", default_rule: null });
  });

  test("for every host are written with *", () => {
    const { network } = read(proxy({ httpRules: [{ qualifiers: ["audit"], match: { hosts: ["*", "x.com"] } }] }));
    expect(network?.http[0]).toMatchObject({ verdict: "none", audit: true, match: { hosts: [] } });
  });

  test.each([
    ["a default that is none", { defaultAction: "denny" }, 'Did you mean "deny"?'],
    ["an empty default", { defaultAction: "" }, "must be one of deny, allow"],
    ["both allow and deny", { rules: [{ qualifiers: ["allow", "deny"], ip: "1.2.3.4" }] }, "contradict"],
    ["an address and a network", { rules: [{ qualifiers: ["deny"], ip: "1.2.3.4", cidr: "1.2.3.0/24" }] }, "both ip and cidr"],
    ["nothing to match", { rules: [{ qualifiers: ["deny"] }] }, "names neither ip, cidr nor ports"],
    ["an empty match", { httpRules: [{ qualifiers: ["deny"], match: {} }] }, "is empty"],
    ["a host with a port", { httpRules: [{ qualifiers: ["deny"], match: { hosts: ["x.com:443"] } }] }, "without a port"],
    ["a host that breaks lines", { httpRules: [{ qualifiers: ["deny"], match: { hosts: ['evil"\ninjection: true'] } }] }, "is not a host"],
    ["a star within a name", { httpRules: [{ qualifiers: ["deny"], match: { hosts: ["a.*.com"] } }] }, "is not a host"],
    ["a short address", { httpRules: [{ qualifiers: ["deny"], match: { hosts: ["127.1"] } }] }, "is not a host"],
    ["a path that breaks lines", { httpRules: [{ qualifiers: ["deny"], match: { paths: [{ exact: "/api\ninjection" }] } }] }, "no path of a request has"],
    ["a path with a query", { httpRules: [{ qualifiers: ["deny"], match: { paths: [{ prefix: "/a?b" }] } }] }, "query"],
    ["a relative path", { httpRules: [{ qualifiers: ["deny"], match: { paths: [{ prefix: "a" }] } }] }, "does not begin with /"],
    ["two kinds of path", { httpRules: [{ qualifiers: ["deny"], match: { paths: [{ prefix: "/a", exact: "/a" }] } }] }, "both exact and prefix"],
    ["no method", { httpRules: [{ qualifiers: ["deny"], match: { methods: ["GET x"] } }] }, "not an HTTP method"],
    ["an address that is none", { rules: [{ qualifiers: ["deny"], ip: '10.0.0.1"\ninjection: true' }] }, "not an IP address"],
    ["a port out of range", { rules: [{ qualifiers: ["deny"], ports: [{ port: 70_000 }] }] }, "ports[0].port"],
  ])("with %s are refused", (_, egress, message) => {
    expect(faultsOf(proxy(egress)).join("\n")).toContain(message);
  });
});

describe("what the proxy adds to requests", () => {
  const add = (header: object, domain = "x.com") => mitm({ domains: ["x.com", "*.Y.com"], headerMutations: [{ domain, headers: [header] }] });
  test("may come from a secret, and names are compared in lower case", () => {
    const { network } = read(proxy({}), add({ name: "Authorization", secretRef: { name: "keys", key: "openai" } }, "*.y.COM"));
    expect(network?.mitm).toEqual({
      domains: ["x.com", "*.y.com"],
      mutations: [{ domain: "*.y.com", headers: [{ name: "Authorization", value: null, secret: { name: "keys", key: "openai" } }] }],
    });
  });

  test.each([
    [add({ name: "a", value: "b" }, "z.com"), "is not in mitm.domains"],
    [add({ name: "a" }), "needs a value or a secretRef"],
    [add({ name: "a", value: "b", secretRef: { name: "n", key: "k" } }), "both value and secretRef"],
    [add({ name: "a b", value: "b" }), "not the name of a header"],
    [add({ name: "Content-Length", value: "0" }), "may not be set"],
    [add({ name: "a", value: "x\r\nHost: y" }), "no header may have"],
    [mitm({ domains: [] }), "domains"],
    [mitm({ domains: ["a b"] }), "is not a name"],
    [{ policy: { networkProxyConfig: { proxyPort: 15_000 } } }, "must differ"],
    [{ policy: { networkProxyConfig: { proxyPort: 0 } } }, "proxyPort"],
  ])("%j is refused", (more, message) => {
    expect(faultsOf(proxy({}), more as More).join("\n")).toContain(message);
  });

  test("by a sidecar's own settings changes nothing, and rows say so", () => {
    const settings = { proxyPort: 1, proxyAdminPort: 2, proxyUID: 3, resources: { limits: { cpu: "1" } } };
    expect(rawOf(proxy({}), { policy: { networkProxyConfig: settings } }).rows.map(({ rule }) => rule)).toEqual([
      "networkProxyConfig.proxyPort",
      "networkProxyConfig.proxyAdminPort",
      "networkProxyConfig.proxyUID",
      "networkProxyConfig.resources",
    ]);
  });
});

describe("a policy whose enforcer does not name NetworkProxy", () => {
  test("has no proxy: a fault, or a row for compatibility", () => {
    expect(faultsOf(proxy({}), { enforcer: "BPF" }).join()).toContain("does not name NetworkProxy");
    const more = { enforcer: "BPF", upstreamCompat: true };
    expect(read(proxy({}), more).network).toBeNull();
    expect(rawOf(proxy({}), more).rows).toEqual([expect.objectContaining({ rule: "networkProxyRawRules.egress" })]);
  });

  test("nor one without rules for it", () => {
    expect(read({}).network).toBeNull();
    expect(read({ networkProxyRawRules: {} }, mitm({ domains: ["x.com"] })).network).toBeNull();
    expect(rawOf({}, mitm({ domains: ["x.com"] })).rows).toEqual([expect.objectContaining({ rule: "networkProxyConfig" })]);
  });
});
