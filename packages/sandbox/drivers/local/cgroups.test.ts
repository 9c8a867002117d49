import { DEFAULT_LIMITS } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import { cgroupRecords, findCgroups, knobValues, readStats } from "./cgroups.ts";

const V1 = ["cgroup /cg/memory cgroup rw,memory 0 0", "cgroup /cg/pids cgroup rw,pids 0 0", "cgroup /cg/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0"].join("\n");

describe("cgroups", () => {
  it("of version 1 are found by controller, and co-mounted ones once", () => {
    const layout = findCgroups("p", V1);
    expect(layout).toMatchObject({ version: "v1", memory: "/cg/memory/p", cpu: "/cg/cpu,cpuacct/p", cpuacct: "/cg/cpu,cpuacct/p" });
    expect(layout.dirs).toEqual(["/cg/memory/p", "/cg/pids/p", "/cg/cpu,cpuacct/p"]);
  });

  it("that lack a controller are none, and then nothing is written", () => {
    const layout = findCgroups("p", V1.replace("rw,pids", "rw,net_cls"));
    expect(layout.version).toBe("none");
    expect(cgroupRecords(layout, "box", DEFAULT_LIMITS)).toEqual([]);
  });

  it("become records that make, limit, join and measure", () => {
    const records = cgroupRecords(findCgroups("p", V1), "box", { ...DEFAULT_LIMITS, memory_bytes: 1000, pids: 7, cpus: 0.5 });
    expect(records).toContainEqual(["cgroup", "/cg/memory/p/box"]);
    expect(records).toContainEqual(["cgset", "/cg/memory/p/box/memory.limit_in_bytes", "1000"]);
    expect(records).toContainEqual(["cgset", "/cg/cpu,cpuacct/p/box/cpu.cfs_quota_us", "50000"]);
    expect(records).toContainEqual(["cgjoin", "/cg/pids/p/box/cgroup.procs"]);
    expect(records).toContainEqual(["stat", "oom", "/cg/memory/p/box/memory.oom_control"]);
  });

  it("are limited on version 1, and the program alone is frozen and counted beside, unless that hierarchy cannot be written", () => {
    const unified = "\ncgroup2 /cg/unified cgroup2 rw,relatime 0 0";
    const records = cgroupRecords(findCgroups("p", V1 + unified), "box", DEFAULT_LIMITS);
    expect(records).toContainEqual(["cgjoin-program", "/cg/unified/p/box/cgroup.procs"]);
    expect(records).toContainEqual(["freezer", "/cg/unified/p/box"]);
    expect(records).toContainEqual(["stat", "memory.pressure", "/cg/unified/p/box/memory.pressure"]);
    expect(records.filter(([op, path]) => op === "cgset" && String(path).includes("unified"))).toEqual([]);
    expect(cgroupRecords(findCgroups("p", V1 + unified.replace("rw", "ro")), "box", DEFAULT_LIMITS)).toEqual(
      cgroupRecords(findCgroups("p", V1), "box", DEFAULT_LIMITS),
    );
  });

  it("of version 2 write a quota with its period", () => {
    expect(
      knobValues(
        { version: "v2", dirs: ["/cg/p"], memory: "/cg/p", pids: "/cg/p", cpu: "/cg/p", cpuacct: "/cg/p", unified: "/cg/p", io: "/cg/p", socketMemory: false },
        DEFAULT_LIMITS,
      ).cpu,
    ).toBe("100000 100000");
  });

  it("tell of both versions' counters alike", () => {
    const v1 = {
      memory_peak: "5000\n",
      oom: "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
      pids: "max 3\n",
      cpu_ns: "2500000\n",
      throttle: "nr_periods 9\nnr_throttled 1\n",
    };
    const v2 = {
      memory_peak: "5000\n",
      oom: "low 0\nmax 8\noom 2\noom_kill 2\n",
      pids: "max 3\n",
      "cpu.stat": "usage_usec 2500\nuser_usec 1\n",
      throttle: "nr_periods 9\nnr_throttled 1\n",
    };
    const expected = { memory_peak_bytes: 5000, oom_kills: 2, pids_refused: 3, cpu_ms: 2.5, throttled: 1 };
    for (const files of [v1, v2]) expect(readStats(new Map(Object.entries(files)))).toEqual(expected);
    expect(readStats(new Map())).toEqual({ memory_peak_bytes: null, oom_kills: 0, pids_refused: 0, cpu_ms: null, throttled: 0 });
  });

  it("count from where a run began", () => {
    const at = (oom: number, cpu: number) =>
      new Map([
        ["oom", `oom_kill ${oom}\n`],
        ["cpu_ns", `${cpu}\n`],
        ["pids", "max 4\n"],
      ]);
    expect(readStats(at(3, 9_000_000), at(2, 4_000_000))).toMatchObject({ oom_kills: 1, cpu_ms: 5, pids_refused: 0 });
  });
});
