import { daysBetween, type Exemption } from "@plastron/scan";
import { renderTable } from "../terminal/table.ts";
import { line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

/** From here on somebody should look at it again. */
const SOON = 14;

export type Standing = "expired" | "ends soon" | "holds" | "not begun";

export function standingOf({ created, expires }: Exemption, day: string): Standing {
  if (daysBetween(expires, day) > 0) return "expired";
  if (daysBetween(day, created) > 0) return "not begun";
  return daysBetween(day, expires) <= SOON ? "ends soon" : "holds";
}

export function showExemptions(exemptions: readonly Exemption[], day: string, terminal: Terminal): void {
  const rows = exemptions.map((exemption) => {
    const standing = standingOf(exemption, day);
    const style = standing === "expired" ? ("red" as const) : standing === "holds" ? ("green" as const) : ("yellow" as const);
    const approver = printable(exemption.approver);
    return [exemption.id, { text: standing, style }, exemption.expires, approver, printable(`${scopeWords(exemption)}: ${exemption.reason}`)];
  });
  for (const text of renderTable(["ID", "STANDING", "EXPIRES", "APPROVER", "WHAT AND WHY"], rows, terminal)) line(terminal.out, text);
}

export function scopeWords({ scope }: Exemption): string {
  const { fingerprint, advisory, dependency, versions, through, rule, path } = scope;
  const words = [fingerprint, advisory, dependency && `${dependency}${versions ? ` ${versions}` : ""}`, through && `by way of ${through.join(" → ")}`, rule];
  return [...words, path && `in ${path}`].filter(Boolean).join(" ");
}
