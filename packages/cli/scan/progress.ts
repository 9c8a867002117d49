import type { ScanProgress } from "@plastron/contracts";
import { startProgress } from "../terminal/progress.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { printable, truncate } from "../terminal/width.ts";

export interface ScanView {
  show(progress: ScanProgress): void;
  done(): void;
}

/** One line on a person's terminal that says how far a scan is; nothing in a pipe. Paths are the artifact's text. */
export function startScanProgress(terminal: Terminal, what: string): ScanView {
  const progress = startProgress(terminal, `Taking in ${printable(what)}`, 300);
  const room = Math.max(20, (terminal.columnsErr ?? 80) - 8);
  const say = (text: string) => progress.say(truncate(text, room));
  return {
    show: (now) => say(words(now)),
    done: () => progress.done(),
  };
}

function words({ phase, done, total, findings, current }: ScanProgress): string {
  const found = findings === 0 ? "" : `, ${findings} found`;
  switch (phase) {
    case "intake":
      return `Taking in, ${done} files: ${printable(current)}`;
    case "files":
      return `${total === 0 ? 100 : Math.floor((done / total) * 100)} % of ${total} files${found}: ${printable(current)}`;
    case "project":
      return `Joining what ${printable(current)} saw${found}`;
    case "fuzz":
      return `Fuzzing ${printable(current)}${found}`;
    case "report":
      return `Judging ${findings} matches`;
  }
}
