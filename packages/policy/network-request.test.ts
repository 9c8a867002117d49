import {
  type NetworkRequest,
  networkRequestSchema,
  PlastronError,
  type SecretGrant,
  SPECIAL_ADDRESSES,
  secretGrantSchema,
  TYPICAL_HOST,
} from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "./compile.ts";
import { compileDefault } from "./default.ts";
import { withNetwork } from "./network-request.ts";
import { allowHint } from "./network-request-hint.ts";
import { networkSeed } from "./network-seed.ts";
import { parsePolicy } from "./parse/parse.ts";
import { policyOf } from "./testing/policies.ts";

const plain = networkSeed(compileDefault(TYPICAL_HOST));
const read = (allow: object[]): NetworkRequest => networkRequestSchema.parse({ allow });
const grant = (more: Partial<SecretGrant> = {}): SecretGrant =>
  secretGrantSchema.parse({ env: "KEY", name: "openai", key: "token", hosts: ["api.test"], ...more });

/** What is said of a request: its faults by path, or the code and the words. */
function refusal(allow: object[], seed = plain, grants: SecretGrant[] = [], host = TYPICAL_HOST) {
  try {
    withNetwork(seed, read(allow), grants, host);
  } catch (error) {
    if (!(error instanceof PlastronError)) throw error;
    return { code: error.code, message: error.message, paths: error.errors?.map(({ path }) => path) };
  }
  return undefined;
}

/** As `allow` says it, a policy with network rules. */
const proxied = (rules: string, extra = "") =>
  networkSeed(
    compilePolicy(
      parsePolicy(`
apiVersion: crd.varmor.org/v1beta1
kind: VarmorPolicy
metadata: { name: ceiling }
spec:
  target: { kind: Pod, selector: { matchLabels: {} } }
  policy:
    enforcer: NetworkProxy
    mode: EnhanceProtect
    ${extra}
    enhanceProtect:
      networkProxyRawRules:
        egress: ${rules}
`),
      TYPICAL_HOST,
    ),
  );

describe("a run's network", () => {
  it("is the policy's where nothing is asked, and none where none is", () => {
    expect(withNetwork(plain, undefined, [], TYPICAL_HOST).confinement).toBe(plain.confinement);
    expect(withNetwork(plain, "none", [], TYPICAL_HOST).confinement).toBe(plain.confinement);
    const ceiling = proxied('{ defaultAction: deny, httpRules: [{ qualifiers: [allow], match: { hosts: ["api.test"] } }] }');
    expect(ceiling.confinement.network).not.toBeNull();
    const none = withNetwork(ceiling, "none", [], TYPICAL_HOST).confinement;
    expect(none.network).toBeNull();
    expect(none.id).not.toBe(ceiling.confinement.id);
  });

  it("has what was listed, under an id of its own that equal requests share", () => {
    const request = read([
      { domains: ["API.test"], ports: [443, 8443] },
      { domains: ["x.test"], methods: ["get"], paths: ["/v1/*", "/me"] },
      { cidrs: ["8.8.8.8"] },
    ]);
    const { confinement } = withNetwork(plain, request, [], TYPICAL_HOST);
    expect(confinement.id).toBe(withNetwork(plain, structuredClone(request), [], TYPICAL_HOST).confinement.id);
    expect(confinement.id).not.toBe(plain.confinement.id);
    expect(confinement.seccomp).toBe(plain.confinement.seccomp);
    const rule = (path: string) => confinement.rules.findIndex((one) => one.id === "network.allow" && one.path === path);
    const match = { methods: [], paths: [] };
    expect(confinement.network).toMatchObject({
      default_action: "deny",
      default_rule: rule("network.allow"),
      addresses: [
        {
          rule: rule("network.allow[2]"),
          verdict: "allow",
          cidr: "8.8.8.8/32",
          ports: [
            [80, 80],
            [443, 443],
          ],
          literal: true,
        },
      ],
      http: [
        {
          rule: rule("network.allow[0]"),
          match: {
            hosts: ["api.test"],
            ports: [
              [443, 443],
              [8443, 8443],
            ],
            ...match,
          },
        },
        { rule: rule("network.allow[0]"), match: { hosts: ["api.test"], ports: [[8443, 8443]], streams: true } },
        {
          rule: rule("network.allow[1]"),
          match: {
            hosts: ["x.test"],
            methods: ["GET"],
            paths: [
              { kind: "prefix", path: "/v1/" },
              { kind: "exact", path: "/me" },
            ],
          },
        },
      ],
      mitm: { domains: ["x.test"], mutations: [] },
    });
    expect(confinement.network?.within).toBeUndefined();
  });

  it("keeps what the policy denies by address, and puts hooks below", () => {
    const { confinement, fidelity } = withNetwork(plain, read([{ domains: ["api.test"] }]), [], TYPICAL_HOST);
    expect(confinement.network?.denied.map(({ cidr }) => cidr)).toContain("169.254.169.254/32");
    expect(plain.confinement.hooks).toBeNull();
    expect(confinement.hooks?.programs.map(({ at }) => at)).toEqual(expect.arrayContaining(["connect4", "connect6", "sendmsg4", "sendmsg6", "sock_create"]));
    expect(fidelity.map(({ category }) => category)).toEqual(["network.allow[0]", "network.allow"]);
    const bare = withNetwork(plain, read([{ domains: ["api.test"] }]), [], { ...TYPICAL_HOST, hooks: false });
    expect(bare.confinement.hooks).toBeNull();
    expect(bare.fidelity[0]?.note).toContain("missing on this host");
  });

  it("ends TLS to the hosts of its secrets", () => {
    const { confinement } = withNetwork(plain, read([{ domains: ["*.test"].map(() => "api.test") }]), [grant()], TYPICAL_HOST);
    expect(confinement.network?.mitm.domains).toEqual(["api.test"]);
  });
});

describe("a policy with network rules", () => {
  const ceiling = proxied(
    '{ defaultAction: deny, rules: [], httpRules: [{ qualifiers: [allow], match: { hosts: ["*.example.test"], methods: [GET] } }] }',
    "networkProxyConfig: { mitm: { domains: [api.example.test] } }",
  );

  it("is a ceiling: its rules must allow as well, and its TLS stays ended", () => {
    const { confinement } = withNetwork(ceiling, read([{ domains: ["api.example.test"] }]), [], TYPICAL_HOST);
    expect(confinement.network?.within).toMatchObject({
      default_action: "deny",
      http: [{ verdict: "allow", match: { hosts: ["*.example.test"], methods: ["GET"] } }],
    });
    expect(confinement.network?.mitm.domains).toEqual(["api.example.test"]);
    expect(confinement.rules[confinement.network?.within?.default_rule as number]?.path).toContain("networkProxyRawRules");
  });

  it("refuses at once what it never gives", () => {
    expect(refusal([{ domains: ["api.example.test", "other.test", "example.test"] }], ceiling)).toMatchObject({
      code: "invalid_request",
      paths: ["network.allow[0].domains[1]", "network.allow[0].domains[2]"],
    });
    expect(refusal([{ domains: ["other.test"] }], ceiling)?.message).toContain("the policy ceiling");
  });

  it("opens an inward network to who asks for a part of it, and to nobody else", () => {
    const inward = proxied("{ defaultAction: deny, rules: [{ qualifiers: [allow], cidr: 10.20.0.0/16, ports: [{ port: 5432 }] }] }");
    expect(refusal([{ cidrs: ["10.20.1.0/24"], ports: [5432] }], inward)).toBeUndefined();
    expect(refusal([{ cidrs: ["10.21.1.0/24"] }, { cidrs: ["10.0.0.0/8"] }], inward)).toMatchObject({
      paths: ["network.allow[0].cidrs[0]", "network.allow[1].cidrs[0]"],
    });
    const everything = proxied("{ defaultAction: allow, rules: [{ qualifiers: [allow], cidr: 0.0.0.0/0 }] }");
    expect(refusal([{ cidrs: ["10.20.1.0/24"] }], everything)).toBeDefined();
  });

  it("gives its secrets' hosts without a request, and no others", () => {
    expect(withNetwork(ceiling, undefined, [grant({ hosts: ["api.example.test"] })], TYPICAL_HOST).confinement.network?.mitm.domains).toContain(
      "api.example.test",
    );
    expect(() => withNetwork(ceiling, undefined, [grant()], TYPICAL_HOST)).toThrow("no host that the policy's rules allow");
  });
});

describe("a request is refused by name", () => {
  it("where the policy closes sockets or every address, and where there is no way out", () => {
    for (const rule of ["disable-network", "disable-tcp", "disable-udp", "disable-inet"]) {
      const seed = networkSeed(compilePolicy(policyOf([rule]), TYPICAL_HOST));
      expect(refusal([{ domains: ["api.test"] }], seed), rule).toMatchObject({ code: "conflict", message: expect.stringContaining(rule) });
    }
    const all = policyOf([], { bpfRawRules: { network: { egress: { toDestinations: [{ cidr: "0.0.0.0/0", qualifiers: ["deny"] }] } } } });
    expect(refusal([{ domains: ["api.test"] }], networkSeed(compilePolicy(all, TYPICAL_HOST)))).toMatchObject({
      code: "conflict",
      message: expect.stringContaining("toDestinations[0]"),
    });
    const raw = policyOf([], { syscallRawRules: [{ names: ["connect"], action: "SCMP_ACT_ERRNO" }] });
    expect(refusal([{ domains: ["api.test"] }], networkSeed(compilePolicy(raw, TYPICAL_HOST)))).toMatchObject({
      message: expect.stringContaining("syscallRawRules[0]"),
    });
    for (const harmless of ["disable-inet6", "disable-icmp", "disable-unix-domain-socket", "block-access-to-metadata-service"]) {
      expect(refusal([{ domains: ["api.test"] }], networkSeed(compilePolicy(policyOf([harmless]), TYPICAL_HOST))), harmless).toBeUndefined();
    }
    expect(refusal([{ domains: ["api.test"] }], plain, [], { ...TYPICAL_HOST, driver: "gvisor", tier: 3, egress: false })).toMatchObject({
      code: "tier_unavailable",
      message: expect.stringContaining("tier 3 (gVisor)"),
    });
  });

  it.each(["127.0.0.1", "127.1", "0x7f000001", "2130706433", "017700000001", "a.0x7f", "1.2.3.4", "localhost", "*.localhost", "*.com", "*.test"])(
    "%s as a domain",
    (name) => {
      expect(refusal([{ domains: [name] }])).toMatchObject({ code: "invalid_request", paths: ["network.allow[0].domains[0]"] });
    },
  );

  it.each([
    "*",
    "*.*.test",
    "a.*.test",
    "api.test.",
    "api..test",
    "аpi.test",
    "api.test/",
    "api.test:443",
    "[::1]",
    "::1",
    `${"a".repeat(64)}.test`,
    `${"a.".repeat(127)}test`,
    "-a.test",
    "",
  ])("%j, which the contract does not take for a domain", (name) => {
    expect(networkRequestSchema.safeParse({ allow: [{ domains: [name] }] }).success).toBe(false);
  });

  it.each(["API.Test", "_dmarc.example.test", "xn--bcher-kva.example", "a-b.test", "1password.example"])("but not %s", (name) => {
    expect(refusal([{ domains: [name] }])).toBeUndefined();
  });

  it.each([
    ...SPECIAL_ADDRESSES,
    "169.254.169.254",
    "10.0.0.0/24",
    "127.0.0.1",
    "::1",
    "fd00:ec2::254",
    "::ffff:127.0.0.1",
    "0.0.0.0/0",
    "::/0",
    "8.0.0.0/7",
    "2600::/12",
  ])("%s as a network", (cidr) => {
    const parsed = networkRequestSchema.safeParse({ allow: [{ cidrs: [cidr] }] });
    if (parsed.success) expect(refusal([{ cidrs: [cidr] }])).toMatchObject({ paths: ["network.allow[0].cidrs[0]"] });
  });

  it.each(["/v1/../admin", "/v1/./x", "/v1//x", "/%2e%2e/x", "/a%2fb", "/x?y=1", "/x#y", "/a*b", "/a;b", "/ü", "/a b", "/..", "/a\\b"])(
    "%s as a path",
    (path) => {
      expect(refusal([{ domains: ["api.test"], paths: [path] }])).toMatchObject({ paths: ["network.allow[0].paths[0]"] });
    },
  );

  it("with each of its faults, in bounded words", () => {
    expect(
      refusal([
        { domains: ["api.test"], cidrs: ["8.8.8.8"] },
        { domains: ["1.2.3.4"], ports: [] },
      ])?.paths,
    ).toEqual(["network.allow[0]", "network.allow[1].ports", "network.allow[1].domains[0]"]);
    const many = (count: number, field: string) =>
      Array.from({ length: 64 }, () => ({ [field]: Array.from({ length: count }, (_, i) => (field === "cidrs" ? `8.8.${i}.0/24` : `a${i}.test`)) }));
    expect(refusal(many(64, "domains"))).toMatchObject({ paths: ["network.allow"], message: expect.stringContaining("at most 512") });
    expect(refusal(many(5, "cidrs"))).toMatchObject({ paths: ["network.allow"], message: expect.stringContaining("at most 256") });
    expect(networkRequestSchema.safeParse({ allow: Array.from({ length: 10_000 }, () => ({ domains: ["a.test"] })) }).success).toBe(false);
    for (const port of [0, 65_536, 80.5, "80"]) expect(networkRequestSchema.safeParse({ allow: [{ domains: ["a.test"], ports: [port] }] }).success).toBe(false);
  });

  it("where a secret has nowhere to go", () => {
    expect(refusal([{ domains: ["api.test"] }], plain, [grant({ hosts: ["other.test", "*.api.test"] })])?.paths).toEqual([
      "secrets[0].hosts[0]",
      "secrets[0].hosts[1]",
    ]);
    expect(refusal([{ domains: ["api.test"] }], plain, [grant(), grant()])?.paths).toEqual(["secrets[1].env"]);
    for (const request of [undefined, "none"] as const) expect(() => withNetwork(plain, request, [grant()], TYPICAL_HOST)).toThrow("no network");
  });
});

describe("what would have allowed a denial", () => {
  it("is said as an entry and as a flag", () => {
    const http = (more: object) => ({ operation: "Network" as const, type: "http" as const, method: "", host: "api.test", path: "", port: 443, ...more });
    expect(allowHint("network.allow", http({ port: 53 }))).toBe(
      'nothing in network.allow lists api.test; {"domains":["api.test"]} would (--allow-net api.test)',
    );
    expect(allowHint("network.allow", http({ port: 8443 }))).toContain('{"domains":["api.test"],"ports":[8443]} would (--allow-net api.test:8443)');
    expect(allowHint("network.allow", http({ method: "POST", path: "/v1" }))).toContain("--allow-net 'POST https://api.test/v1'");
    expect(allowHint("network.allow", { operation: "Network", type: "connect", ip: "2606::1", port: 53 })).toContain("--allow-net [2606::1]:53");
    expect(allowHint("network.allow", { operation: "Network", type: "connect", ip: "169.254.169.254", port: 80 })).toContain("lies in 169.254.0.0/16");
    expect(allowHint("networkProxyRawRules.egress.defaultAction", http({}))).toBeNull();
  });
});
