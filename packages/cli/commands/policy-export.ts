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

/**
 * For a container of somebody else's runtime: nothing of this host is asked, and the floor that lies under Plastron's own sandboxes
 * is left out where the policy lifts it.
 */
export async function exportPolicyFile(file: string, flags: ExportFlags, terminal: Terminal): Promise<number> {
  if (flags.as === "bpf-lsm" && flags.output === undefined && !flags.json) throw usage("tables are bytes: name a file for them with --output");
  const text = await readProgram(file, terminal);
  const [{ compilePolicy, exportPolicy, parsePolicy }, { TYPICAL_HOST }] = await Promise.all([import("@plastron/policy"), import("@plastron/contracts")]);
  const exported = await inPolicyFile(file, async () => exportPolicy(compilePolicy(parsePolicy(text), { ...TYPICAL_HOST, permissive: true }), flags.as));
  const { content, rows, rules } = exported;
  if (flags.output !== undefined) {
    writeFileSync(flags.output, content);
    if (rules) writeFileSync(`${flags.output}.json`, `${JSON.stringify(rules, null, 2)}\n`);
  }
  if (flags.json) json(terminal, { ...exported, content: typeof content === "string" ? content : Buffer.from(content).toString("base64") });
  else if (flags.output === undefined) terminal.out.write(content);
  if (!flags.json) for (const { rule, note } of rows) line(terminal.err, `${printable(rule)}: ${printable(note)}`);
  return 0;
}
