import { expect, it } from "vitest";
import { resourcesOf } from "./resources.ts";

const pressure = (total: number) => `some avg10=0.00 avg60=0.00 avg300=0.00 total=${total}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n`;
const files = (content: Record<string, string>) => new Map(Object.entries(content));

it("tells of both versions of cgroups what a run used, less what was used before it", () => {
  const shared = (n: number) => ({
    "cpu.stat": `usage_usec ${n}\nuser_usec ${n}\nsystem_usec ${2 * n}\n`,
    "cpu.pressure": pressure(n),
    "memory.pressure": pressure(0),
    "io.pressure": pressure(n + 1),
  });
  const v1 = (n: number) =>
    files({
      ...shared(n),
      memory_peak: "5000\n",
      memory_failures: `${n}\n`,
      throttle: `nr_throttled 1\nthrottled_time ${n * 1000}\n`,
      io_v1: `8:0 Read ${n}\n8:0 Write ${3 * n}\n8:0 Total 1\n9:0 Read ${n}\nTotal 7\n`,
    });
  const v2 = (n: number) =>
    files({
      ...shared(n),
      memory_peak: "5000\n",
      oom: `max ${n}\noom_kill 0\n`,
      throttle: `throttled_usec ${n}\n`,
      io_v2: `8:0 rbytes=${n} wbytes=${3 * n} rios=1\n9:0 rbytes=${n} wbytes=0\n`,
    });
  for (const at of [v1, v2]) {
    expect(resourcesOf(at(150), at(100))).toEqual({
      memory: { peak_bytes: 5000, failures: 50, stalled_us: 0 },
      cpu: { user_us: 50, system_us: 100, throttled_us: 50, stalled_us: 50 },
      io: { read_bytes: 100, write_bytes: 150, stalled_us: 50 },
    });
  }
});

it("has null for what this kernel does not count, and never less than nothing", () => {
  expect(resourcesOf(new Map(), new Map())).toEqual({ memory: null, cpu: null, io: null });
  expect(resourcesOf(files({ memory_peak: "9" }), new Map()).memory).toEqual({ peak_bytes: 9, failures: null, stalled_us: null });
  const cpu = (n: number) => files({ "cpu.stat": `user_usec ${n}\nsystem_usec ${n}\n` });
  expect(resourcesOf(cpu(1), cpu(2)).cpu).toEqual({ user_us: 0, system_us: 0, throttled_us: null, stalled_us: null });
});
