import type { Cluster } from "@plastron/contracts";
import { describe, expect, test } from "vitest";
import { faultsOf, rawOf } from "./testing/policy-text.ts";

const egress = (rules: object) => ({ bpfRawRules: { network: { egress: rules } } });
const to = (destination: object) => egress({ toDestinations: [{ qualifiers: ["deny"], ...destination }] });
const ports = (...given: (number | [number, number])[]) => given.map((port) => (typeof port === "number" ? { port } : { port: port[0], endPort: port[1] }));
/** `CIDR ports` of each thing refused. */
const refused = (rules: object, more: Parameters<typeof rawOf>[1] = {}) =>
  rawOf(rules, more).orders.flatMap(({ intents }) =>
    intents.map((intent) =>
      intent.kind === "connect" ? `${intent.cidr ?? "*"} ${intent.ports.map((range) => range.join("-")).join(" ")}`.trim() : intent.kind,
    ),
  );

describe("the rows of upstream's TestGenerateRawNetworkEgressRule", () => {
  test.each([
    [{ ip: "fdbd:dc01:ff:307:9329:268d:3a27:2ca7" }, ["fdbd:dc01:ff:307:9329:268d:3a27:2ca7/128"]],
    [{ ip: "192.168.1.1", ports: ports(80) }, ["192.168.1.1/32 80-80"]],
    [{ ports: ports(80) }, ["* 80-80"]],
    [{ ports: ports([80, 8080]) }, ["* 80-8080"]],
    [{ ports: ports(80, 81, 82) }, ["* 80-82"]],
    [{ ip: "192.168.1.1", ports: ports([80, 8080]) }, ["192.168.1.1/32 80-8080"]],
    [{ ip: "192.168.1.1", ports: ports(80, 90, 100) }, ["192.168.1.1/32 80-80 90-90 100-100"]],
    [{ ip: "192.168.1.1", ports: ports(...Array.from({ length: 18 }, (_, i) => i + 1)) }, ["192.168.1.1/32 1-18"]],
    [{ cidr: "192.168.1.1/24", ports: ports(1, 2, [100, 110], 3) }, ["192.168.1.0/24 1-3 100-110"]],
    [{ ip: "10.37.31.68", ports: ports(1, [100, 110], 2, [1000, 1100], 3) }, ["10.37.31.68/32 1-3 100-110 1000-1100"]],
    [{ ip: "unspecified", ports: ports(80, 90, 100) }, ["0.0.0.0/32 80-80 90-90 100-100", "::/128 80-80 90-90 100-100"]],
    [{ ip: "pod-self", ports: ports(80) }, ["127.0.0.0/8 80-80", "::1/128 80-80"]],
    [{ ip: "localhost", ports: ports(80) }, ["127.0.0.1/32 80-80", "::1/128 80-80"]],
  ])("%j", (destination, wanted) => {
    expect(refused(to(destination))).toEqual(wanted);
  });
});

test("pod-self is loopback without the unspecified address, which localhost takes along", () => {
  const unspecified = (ip: string) =>
    rawOf(to({ ip })).orders.flatMap(({ intents }) => intents.map((intent) => intent.kind === "connect" && intent.unspecified));
  expect([unspecified("pod-self"), unspecified("localhost")]).toEqual([
    [false, false],
    [undefined, undefined],
  ]);
});

describe("the rows of upstream's Test_newBpfNetworkConnectRule", () => {
  test.each([
    ["names nothing", {}, "names neither ip, cidr nor ports"],
    ["has both ip and cidr", { cidr: "192.168.1.1/24", ip: "192.168.1.1" }, "has both ip and cidr"],
    ["ends before it begins", { ports: ports([8080, 80]) }, "80 is less than its port, 8080"],
    ["begins at port 0", { ports: ports([0, 8080]) }, "ports[0].port"],
    ["has port 0 among others", { ports: ports(1, 2, 0, 3) }, "ports[2].port"],
    ["has a port that is too large", { ports: ports(65_536) }, "ports[0].port"],
    ["has no address", { ip: "10.0.0.256" }, "not an IP address"],
    ["has a network as ip", { ip: "10.0.0.0/8" }, "write it as cidr"],
    ["misspells a special word", { ip: "pod-slef" }, 'Did you mean "pod-self"?'],
    ["has no network", { cidr: "192.168.1.0" }, "not a CIDR"],
  ])("a rule that %s is refused with its place", (_, destination, message) => {
    expect(faultsOf(to(destination)).join("\n")).toContain(message);
  });

  test.each([
    [{ cidr: "192.168.1.1/24" }, ["192.168.1.0/24"]],
    [{ cidr: "2001:db8::/32" }, ["2001:db8::/32"]],
    [{ ip: "11.3.30.68" }, ["11.3.30.68/32"]],
    [{ ip: "febd:dc01:ff:307:932a:268d:3a27:2ca7" }, ["febd:dc01:ff:307:932a:268d:3a27:2ca7/128"]],
    [{ cidr: "11.37.100.230/16" }, ["11.37.0.0/16"]],
    [{ cidr: "172.16.0.0/11", ports: ports(10250) }, ["172.0.0.0/11 10250-10250"]],
    [{ cidr: "2001:db8::/31", ports: ports([1, 1024]) }, ["2001:db8::/31 1-1024"]],
    [{ ip: "11.3.30.68", ports: ports(80, 8080, 6443) }, ["11.3.30.68/32 80-80 6443-6443 8080-8080"]],
    [{ ip: "11.30.31.68", ports: ports(6443) }, ["11.30.31.68/32 6443-6443"]],
    [{ ip: "pod-self" }, ["127.0.0.0/8", "::1/128"]],
    [{ ip: "pod-self", ports: ports(6443) }, ["127.0.0.0/8 6443-6443", "::1/128 6443-6443"]],
  ])("%j is read", (destination, wanted) => {
    expect(refused(to(destination))).toEqual(wanted);
  });
});

const cluster: Cluster = {
  services: [
    { namespace: "web", name: "nginx", labels: { app: "nginx" }, addresses: ["10.96.0.7", "fd00::7", "oops"], ports: [80, 81] },
    { namespace: "db", name: "nginx", labels: { app: "other", tier: "back" }, addresses: ["10.96.0.8"], ports: [] },
  ],
  pods: [{ namespace: "web", labels: { app: "nginx" }, addresses: ["10.1.0.9"] }],
  self: ["10.1.0.1"],
};

describe("names of a cluster", () => {
  const nginx = { serviceSelector: { matchLabels: { app: "nginx" } } };
  const service = (rule: object) => egress({ toServices: [{ qualifiers: ["deny"], ...rule }] });
  const pod = (rule: object) => egress({ toPods: [{ qualifiers: ["deny"], ...rule }] });

  test("without an address file refuse nothing, and a row names what would enforce them", () => {
    for (const rules of [service(nginx), pod({ podSelector: {} })]) {
      const { orders, rows } = rawOf(rules);
      expect(orders).toEqual([]);
      expect(rows).toEqual([expect.objectContaining({ fidelity: "unsupported", note: expect.stringContaining("--cluster-addresses") })]);
    }
  });

  test("are what the address file says, and a broken address there is said", () => {
    expect(refused(service(nginx), { cluster })).toEqual(["10.96.0.7/32 80-81", "fd00::7/128 80-81"]);
    expect(rawOf(service(nginx), { cluster }).rows[0]?.note).toContain('"oops"');
    expect(refused(service({ name: "nginx", namespace: "db" }), { cluster })).toEqual(["10.96.0.8/32"]);
    expect(refused(pod({ podSelector: { matchLabels: { app: "nginx" } }, ports: ports(443) }), { cluster })).toEqual(["10.1.0.9/32 443-443"]);
    expect(refused(to({ ip: "pod-self" }), { cluster })).toEqual(["127.0.0.0/8", "::1/128", "10.1.0.1/32"]);
  });

  test.each([
    [[{ key: "app", operator: "In", values: ["nginx", "x"] }], ["10.96.0.7/32 80-81", "fd00::7/128 80-81"]],
    [[{ key: "app", operator: "NotIn", values: ["nginx"] }], ["10.96.0.8/32"]],
    [[{ key: "tier", operator: "Exists" }], ["10.96.0.8/32"]],
    [[{ key: "tier", operator: "DoesNotExist" }], ["10.96.0.7/32 80-81", "fd00::7/128 80-81"]],
    [[{ key: "constructor", operator: "Exists" }], []],
  ])("are chosen by expressions: %j", (matchExpressions, wanted) => {
    expect(refused(service({ serviceSelector: { matchExpressions } }), { cluster })).toEqual(wanted);
  });

  test("that mean nothing there leave a row", () => {
    expect(rawOf(service({ name: "x", namespace: "y" }), { cluster }).rows[0]?.note).toContain("no service");
  });

  test.each([
    [{ ...nginx, name: "nginx" }, "both name and serviceSelector"],
    [{ name: "nginx" }, "both name and namespace"],
    [{}, "needs a serviceSelector"],
    [{ serviceSelector: { matchExpressions: [{ key: "a", operator: "In" }] } }, "In and NotIn need values"],
    [{ serviceSelector: { matchExpressions: [{ key: "a", operator: "Exist", values: [] }] } }, 'Did you mean "Exists"?'],
  ])("contradict themselves: %j", (rule, message) => {
    expect(faultsOf(service(rule)).join("\n")).toContain(message);
  });
});
