import { describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";

const read = (env: Record<string, string>) => readConfig({ PLASTRON_HOME: "/srv/plastron", ...env }, 0);

describe("the agent's configuration", () => {
  it("has defaults under the home directory", () => {
    expect(read({})).toEqual({
      socket: "/srv/plastron/agent/agent.sock",
      stateHome: "/srv/plastron/sandboxes",
      serverUid: 0,
      driver: undefined,
      warm: { python3: 2, nodejs: 1, bash: 1 },
      maxRunning: undefined,
      maxQueued: undefined,
      uidBase: undefined,
      permissive: false,
      clusterAddresses: undefined,
      runNetwork: "allow",
      archiveHosts: [],
      drainMs: 10_000,
      lifeline: false,
    });
  });

  it("takes pools by name", () => {
    expect(read({ PLASTRON_WARM: "python3=4, nodejs=2" }).warm).toEqual({ python3: 4, nodejs: 2 });
    expect(read({ PLASTRON_WARM: "" }).warm).toEqual({});
  });

  it.each([
    ["PLASTRON_WARM", "ruby=1"],
    ["PLASTRON_WARM", "python3"],
    ["PLASTRON_WARM", "python3=-1"],
    ["PLASTRON_WARM", "python3=1=2"],
    ["PLASTRON_SERVER_UID", "root"],
    ["PLASTRON_UID_BASE", "0"],
    ["PLASTRON_DRIVER", "docker"],
    ["PLASTRON_MAX_RUNNING", "1.5"],
    ["PLASTRON_PERMISSIVE", "true"],
    ["PLASTRON_CLUSTER_ADDRESSES", "cluster.yaml"],
    ["PLASTRON_EGRESS_SECRETS", "secrets"],
    ["PLASTRON_EGRESS_HOSTS", "hosts"],
    ["PLASTRON_RUN_NETWORK", "no"],
    ["PLASTRON_AGENT_SOCKET", "relative.sock"],
    ["PLASTRON_AGENT_SOCKET", `/${"x".repeat(200)}`],
  ])("refuses %s=%s and names it", (name, value) => {
    expect(() => read({ [name]: value })).toThrow(name);
  });
});
