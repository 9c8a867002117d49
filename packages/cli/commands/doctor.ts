import type { Control, DoctorReport } from "@plastron/contracts";
import { startProgress } from "../terminal/progress.ts";
import { renderTable } from "../terminal/table.ts";
import { json, line, type Style, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";
import { TIER_WORDS } from "./up-panel.ts";

const MARKS: Record<Control["status"], { mark: string; style: Style }> = {
  working: { mark: "✓", style: "green" },
  degraded: { mark: "~", style: "yellow" },
  missing: { mark: "✗", style: "red" },
};

/** Exit 0 when this host can run something: no required control is missing, and a driver is usable. */
export async function doctor(flags: { json?: boolean }, terminal: Terminal): Promise<number> {
  const progress = startProgress(terminal, "trying each control", 300);
  const [{ doctor: examine }, { examineSensor }] = await Promise.all([import("@plastron/sandbox"), import("@plastron/sensor")]);
  const [found, sensor] = await Promise.all([examine(), examineSensor()]).finally(() => progress.done());
  const report: DoctorReport = { ...found, controls: [...found.controls, sensor] };
  if (flags.json) json(terminal, report);
  else show(report, terminal);
  return canRun(report) ? 0 : 1;
}

function canRun(report: DoctorReport): boolean {
  return report.drivers.some((driver) => driver.usable);
}

function show(report: DoctorReport, terminal: Terminal): void {
  const { paint, out } = terminal;
  const { host } = report;
  line(out, `${paint("bold", "Host")}  Linux ${host.kernel}, ${host.arch}, ${host.root ? "root" : "not root"}, cgroup ${host.cgroup}\n`);
  for (const text of renderTable(["", "CONTROL", "", "WHAT WAS SEEN"], report.controls.map(row), terminal)) line(out, text);
  const wanting = report.controls.filter((control) => control.status !== "working" && control.remedy !== null);
  if (wanting.length > 0) {
    line(out, `\n${paint("bold", "How to get what is missing")}`);
    const rows = wanting.map((control) => [
      { text: MARKS[control.status].mark, style: MARKS[control.status].style },
      control.title,
      printable(control.remedy ?? ""),
    ]);
    for (const text of renderTable(["", "", ""], rows, terminal)) line(out, text);
  }
  line(out);
  for (const driver of report.drivers) {
    const state = driver.usable ? paint("green", "usable") : paint("dim", `not usable: ${printable(driver.why ?? "unknown")}`);
    line(out, `${paint("dim", "Driver")}  ${driver.name.padEnd(11)} tier ${driver.tier}  ${state}`);
  }
  line(
    out,
    `${paint("dim", "Tier")}    ${canRun(report) ? paint("bold", `${report.tier} of 4: ${TIER_WORDS[report.tier]}`) : paint("red", "this host cannot run anything")}`,
  );
}

function row(control: Control) {
  const { mark, style } = MARKS[control.status];
  const need = control.required ? "required" : "";
  return [{ text: mark, style }, control.title, { text: need, style: "dim" as const }, { text: printable(control.detail), style: "dim" as const }];
}
