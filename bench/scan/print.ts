import { isMeasured } from "../measure.ts";
import { table } from "../table.ts";
import type { ScanReport } from "./index.ts";

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const words = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([word, number]) => `${number} ${word}`)
    .join(", ") || "none";

/** The report as lines for a terminal. */
export function printScan({ tree, whole, warm_times_faster, analysers, peers, gaps, settings }: ScanReport): string[] {
  const ours = (what: string) => analysers.find(({ analyser }) => analyser === what)?.mb_per_s_per_core ?? 0;
  return [
    `scan of ${tree.files} files, ${mb(tree.bytes)} (${tree.holds.join("; ")}), ${settings.cores} cores`,
    "",
    ...table([
      ["whole", "seconds", "MB/s", "target s", ""],
      ...whole.map(({ what, seconds, mb_per_s, target_seconds }) => {
        const best = Math.min(...seconds);
        return [what, best.toFixed(2), mb_per_s.toFixed(1), target_seconds.toFixed(1), best <= target_seconds ? "met" : "MISSED"];
      }),
    ]),
    `an unchanged tree again: ${warm_times_faster.toFixed(1)} times as fast (at least 20: ${warm_times_faster >= 20 ? "met" : "MISSED"})`,
    "",
    ...table([
      ["analyser", "files", "MB", "core s", "MB/s a core", "target", ""],
      ...analysers.map(({ analyser, files, bytes, core_seconds, mb_per_s_per_core, target }) => [
        ...[analyser, String(files), (bytes / 1e6).toFixed(1), core_seconds.toFixed(1), mb_per_s_per_core.toFixed(1)],
        ...(target === null ? ["", ""] : [`≥ ${target}`, mb_per_s_per_core >= target ? "met" : "MISSED"]),
      ]),
    ]),
    ...analysers.map(({ analyser, findings }) => `  ${analyser} found ${words(findings)}`),
    `  not seen as it should be: ${words(gaps)}`,
    "",
    ...(peers.length === 0
      ? ["peers: left out (--quick)"]
      : table([
          ["peer", "seconds", "MB/s", "findings", "beside ours (MB/s a core)", "ratio"],
          ...peers.map((peer) =>
            isMeasured(peer)
              ? [
                  peer.peer,
                  peer.seconds.toFixed(1),
                  peer.mb_per_s.toFixed(2),
                  String(peer.findings),
                  `${peer.beside} ${ours(peer.beside).toFixed(1)}`,
                  (ours(peer.beside) / peer.mb_per_s).toFixed(1),
                ]
              : [peer.unavailable],
          ),
        ])),
  ];
}
