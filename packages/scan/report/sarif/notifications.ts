import type { Gap, ScanResult } from "@plastron/contracts";
import { count } from "../words.ts";
import { plain, uriOf } from "./places.ts";

const MOST = 1_000;

/** What was not looked at as it should have been, and what a reader must know of the rest. */
export function notificationsOf({ coverage }: ScanResult, dropped: number): Record<string, unknown>[] {
  const gaps = coverage.gaps.toSorted((a, b) => Number(b.matters) - Number(a.matters)).slice(0, MOST);
  const unsaid = coverage.gaps_total - gaps.length;
  return [
    ...(dropped > 0 ? [note("warning", "results-dropped", `${count(dropped, "finding")} of least urgency left out: this format takes no more.`)] : []),
    ...(unsaid > 0 ? [note("warning", "gaps-dropped", `${count(unsaid, "more place")} not looked at as they should.`)] : []),
    ...coverage.notes.map((text) => note("note", "note", text)),
    ...gaps.map((gap) => ({
      ...note(levelOf(gap), `${gap.analyser}/${gap.reason}`, `${gap.kind}: ${gap.detail || gap.reason}`),
      ...(gap.path ? { locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(gap.path), uriBaseId: "%SRCROOT%" } } }] } : {}),
    })),
  ];
}

const levelOf = (gap: Gap): string => (gap.matters ? (gap.kind === "failed" ? "error" : "warning") : "note");
const note = (level: string, id: string, text: string) => ({ level, descriptor: { id }, message: { text: plain(text) } });
