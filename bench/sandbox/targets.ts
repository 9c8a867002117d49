import { isMeasured, type Measured, type Summary } from "../measure.ts";
import type { Report, Target } from "./report.ts";
import type { Throughput } from "./throughput.ts";

type Figures = Pick<Report, "latency" | "throughput" | "idle_memory" | "bare_starts">;

export function judge({ latency, throughput, idle_memory }: Figures): Target[] {
  const { python, node, numpy_pandas, numpy_pandas_zygote } = latency;
  return [
    atMost("Python print(1) over HTTP, p50", 4, "ms", p50(python)),
    atMost("Python print(1) over HTTP, p95", 10, "ms", isMeasured(python) ? python.p95_ms : null),
    atLeast("Python print(1) over HTTP, 8 at once", 250, rate(throughput.python)),
    atMost("Node console.log(1) over HTTP, p50", 8, "ms", p50(node)),
    atLeast("Node console.log(1) over HTTP, 8 at once", 50, rate(throughput.node)),
    atMost("Python with numpy and pandas, own process, p50", 10, "ms", p50(numpy_pandas)),
    atMost("Python with numpy and pandas, zygote, p50", 10, "ms", p50(numpy_pandas_zygote)),
    atMost("Idle memory of everything, PostgreSQL included", 400, "MiB", isMeasured(idle_memory) ? idle_memory.total_mib : null),
  ];
}

export const p50 = (found: Measured<Summary>): number | null => (isMeasured(found) ? found.p50_ms : null);
export const rate = (found: Measured<Throughput>): number | null => (isMeasured(found) ? found.runs_per_s : null);

function atMost(name: string, at_most: number, unit: Target["unit"], measured: number | null): Target {
  return { name, at_most, at_least: null, unit, measured, met: measured === null ? null : measured <= at_most };
}

function atLeast(name: string, at_least: number, measured: number | null): Target {
  return { name, at_most: null, at_least, unit: "runs/s", measured, met: measured === null ? null : measured >= at_least };
}
