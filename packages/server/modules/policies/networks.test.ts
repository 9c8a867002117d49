import { type NetworkRequest, networkRequestSchema, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault, networkSeed } from "@plastron/policy";
import { describe, expect, it } from "vitest";
import { encoded, type ResolvedPolicy } from "./compiled.ts";
import { RequestedNetworks } from "./networks.ts";

const compiled = compileDefault(TYPICAL_HOST);
const policy = (): ResolvedPolicy => ({
  ...{ name: "default", version: null, kind: "VarmorClusterPolicy", namespace: "", driver: "local" },
  confinement: encoded(compiled.confinement),
  explain: () => null,
  ground: { seed: networkSeed(compiled), host: TYPICAL_HOST },
});
const asking = (name: string, port = 443) => ({
  network: networkRequestSchema.parse({ allow: [{ domains: [name], ports: [port] }] }) as NetworkRequest,
  secrets: [],
});

describe("RequestedNetworks", () => {
  it("gives a policy back as it is where nothing is asked", () => {
    const networks = new RequestedNetworks("deny");
    const base = policy();
    expect(networks.resolve(base, { secrets: [] })).toBe(base);
    expect(networks.resolve(base, { network: "none", secrets: [] }).confinement.value).toBe(base.confinement.value);
  });

  it("makes what is asked once, also for another tenant's policy of the same text", () => {
    const networks = new RequestedNetworks("allow");
    const base = policy();
    const first = networks.resolve(base, asking("api.test")).confinement;
    expect(networks.resolve(base, asking("api.test")).confinement).toBe(first);
    expect(networks.resolve(policy(), asking("api.test")).confinement.value.id).toBe(first.value.id);
    expect(networks.resolve(base, asking("other.test")).confinement.value.id).not.toBe(first.value.id);
  });

  it("keeps a bounded number of them, the latest, whatever is asked", () => {
    const networks = new RequestedNetworks("allow");
    const base = policy();
    const often = networks.resolve(base, asking("api.test")).confinement;
    for (let port = 1; port <= 700; port++) {
      networks.resolve(base, asking("api.test", port));
      if (port % 100 === 0) expect(networks.resolve(base, asking("api.test")).confinement).toBe(often);
    }
    expect(networks.size).toBe(512);
  });

  it("names those that go with a policy", () => {
    const networks = new RequestedNetworks("allow");
    const base = policy();
    const { id } = networks.resolve(base, asking("api.test")).confinement.value;
    expect(networks.forget(["other"])).toEqual([]);
    expect(networks.forget([base.confinement.value.id])).toEqual([id]);
    expect(networks.size).toBe(0);
  });

  it("asks the operator first, who may let nobody", () => {
    const networks = new RequestedNetworks("deny");
    expect(() => networks.resolve(policy(), asking("api.test"))).toThrow(
      expect.objectContaining({ code: "forbidden", hint: expect.stringContaining("--run-network") }),
    );
  });
});
