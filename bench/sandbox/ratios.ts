import { isMeasured, ratio } from "../measure.ts";
import type { Report } from "./report.ts";
import { p50, rate } from "./targets.ts";

/** Ours to theirs, of this one run: what may be compared with another machine or another day, unlike the absolute figures. */
export function compare({
  latency,
  throughput,
  bare_starts: bare,
  direct_driver: direct,
}: Pick<Report, "latency" | "throughput" | "bare_starts" | "direct_driver">) {
  const alone = isMeasured(direct) ? direct : null;
  return {
    python_p50_to_bare_python_start: ratio(p50(latency.python), p50(bare.python)),
    python_p50_to_bubblewrap_cold: ratio(p50(latency.python), p50(bare.bubblewrap)),
    python_p50_to_nsjail_cold: ratio(p50(latency.python), p50(bare.nsjail)),
    python_p50_to_runc_cold: ratio(p50(latency.python), p50(bare.runc)),
    python_p50_to_direct_driver: ratio(p50(latency.python), alone && p50(alone.latency)),
    python_rate_to_direct_driver: ratio(rate(throughput.python), alone && rate(alone.throughput)),
    node_p50_to_bare_node_start: ratio(p50(latency.node), p50(bare.node)),
    numpy_pandas_p50_to_python_p50: ratio(p50(latency.numpy_pandas), p50(latency.python)),
    dify_python_p50_to_peer: ratio(p50(latency.dify_python), p50(latency.peer_python)),
    dify_node_p50_to_peer: ratio(p50(latency.dify_node), p50(latency.peer_node)),
    dify_python_rate_to_peer: ratio(rate(throughput.dify_python), rate(throughput.peer_python)),
    dify_node_rate_to_peer: ratio(rate(throughput.dify_node), rate(throughput.peer_node)),
  };
}
