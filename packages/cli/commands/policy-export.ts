import { writeFileSync } from "node:fs";
import type { ExportKind } from "@plastron/policy";
import { inPolicyFile, usage } from "../failure.ts";
import { readProgram } from "../run/inputs.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

interface ExportFlags {
  as: ExportKind;
  output?: string;
  json?: boolean;
}

/** Writes the file, or shows it; what its form keeps less or more of goes to standard error. */
export async function exportPolicyFile(file: string, flags: ExportFlags, terminal: Terminal): Promise<number> {
  if (flags.as === "bpf-lsm" && flags.output === undefined && !flags.json) throw usage("tables are bytes: name a file for them with --output");
  const text = await readProgram(file, terminal);
  const { exportPolicyText, portableExport } = await import("@plastron/policy");
  const exported = await inPolicyFile(file, async () => exportPolicyText(text, flags.as));
  const { content, rows, rules } = exported;
  if (flags.output !== undefined) {
    writeFileSync(flags.output, content);
    if (rules) writeFileSync(`${flags.output}.json`, `${JSON.stringify(rules, null, 2)}\n`);
  }
  if (flags.json) json(terminal, portableExport(exported, flags.as));
  else if (flags.output === undefined) terminal.out.write(content);
  if (!flags.json) for (const { rule, note } of rows) line(terminal.err, `${printable(rule)}: ${printable(note)}`);
  return 0;
}
