import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { DoctorReport } from "@plastron/contracts";
import { CHECKOUT } from "../lifecycle/home.ts";
import type { UpState } from "../lifecycle/state.ts";
import { renderTable } from "../terminal/table.ts";
import { line, type Terminal } from "../terminal/terminal.ts";

export interface PanelFacts {
  state: UpState;
  firstKey: string | null;
  notes: string[];
  home: string;
}

export const TIER_WORDS: Record<number, string> = { 1: "seccomp and Landlock", 2: "namespaces", 3: "gVisor", 4: "microVM" };

/** What `up` shows when it is ready: where, the first key, how strong, and one thing to try. */
export function showPanel({ state, firstKey, notes, home }: PanelFacts, mode: "foreground" | "detached", terminal: Terminal): void {
  const { paint } = terminal;
  const rows: [string, string][] = [
    ["URL", paint("cyan", state.url)],
    ...(firstKey ? [["Key", `${paint("bold", firstKey)}  ${paint("dim", "shown once; this user's `plastron run` has it already")}`] as [string, string]] : []),
    ["Tier", tierWords(state)],
    ["Home", home],
    ["Logs", join(home, "logs")],
  ];
  line(terminal.out, `\n  ${paint("bold", "Plastron")} ${state.version} ${paint("green", "is up")}\n`);
  for (const [name, value] of rows) line(terminal.out, `  ${paint("dim", name.padEnd(6))}${value}`);
  for (const note of notes) line(terminal.out, `  ${paint("dim", "Note  ")}${note}`);
  line(terminal.out, `\n  ${paint("dim", "Try   ")}echo 'print(6 * 7)' | ${launcher()} run - --language python3`);
  line(
    terminal.out,
    `\n  ${paint("dim", mode === "foreground" ? "Ctrl-C stops everything." : `${launcher()} status says how it does, ${launcher()} down stops it.`)}\n`,
  );
}

/** How this person calls us from where they are, so that the command can be copied. */
function launcher(): string {
  return process.cwd() === CHECKOUT ? "./plastron" : join(CHECKOUT, "plastron");
}

function tierWords({ tier, driver }: UpState): string {
  if (tier === null) return "unknown";
  return `${tier} of 4: ${TIER_WORDS[tier] ?? "unknown"}${driver ? ` (${driver} driver)` : ""}`;
}

/** What doctor finds wanting, below the panel. In a process of its own: the supervisor stays small for as long as it lives. */
export async function showLacks(terminal: Terminal): Promise<void> {
  const report = await askDoctor();
  const lacking = report?.controls.filter((control) => control.status !== "working") ?? [];
  if (lacking.length === 0) return;
  const rows = lacking.map((control) => [
    { text: control.status, style: control.required ? ("red" as const) : ("yellow" as const) },
    control.title,
    { text: control.remedy ?? control.detail, style: "dim" as const },
  ]);
  line(terminal.out, `  ${terminal.paint("dim", "This machine lacks (`plastron doctor` says more):")}`);
  for (const text of renderTable(["", "", ""], rows, { columns: terminal.columns, paint: terminal.paint, indent: 2 })) line(terminal.out, text);
  line(terminal.out);
}

async function askDoctor(): Promise<DoctorReport | null> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [join(CHECKOUT, "packages/cli/main.ts"), "doctor", "--json"], { timeout: 60_000 });
    return JSON.parse(stdout);
  } catch {
    return null; // the panel is whole without it, and `plastron doctor` shows the reason
  }
}
