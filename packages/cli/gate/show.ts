import type { Finding, GateDecision } from "@plastron/contracts";
import type { Judgement } from "@plastron/scan";
import { line, type Paint, type Style } from "../terminal/terminal.ts";
import { printable, wrap } from "../terminal/width.ts";

interface Screen {
  readonly paint: Paint;
  readonly columns: number;
}

const WORDS: Readonly<Record<GateDecision["decision"], [style: Style, word: string]>> = {
  pass: ["green", "PASS"],
  deny: ["red", "DENIED"],
  hold: ["yellow", "INCOMPLETE"],
};

/** How many findings are shown for one reason; the report has all. */
const MOST = 20;

/** The decision, each reason with what it is about and what to do. Paths and titles hold the artifact's text: made harmless here. */
export function showDecision({ decision, head, base, ended }: Judgement, out: NodeJS.WritableStream, screen: Screen): void {
  const { paint } = screen;
  const [style, word] = WORDS[decision.decision];
  line(
    out,
    `${paint(style, paint("bold", word))}  ${printable(head.artifact.revision ?? head.artifact.name).slice(0, 12)}${base ? ` on ${base.commit.slice(0, 12)}` : ", with no base: all is new"}`,
  );
  const counts = [
    [decision.counted.length, "counted"],
    [decision.known, "known before"],
    [decision.exempted, "exempted"],
    [ended, "ended by this change"],
  ] as const;
  line(out, paint("dim", `  ${counts.map(([number, what]) => `${number} ${what}`).join(" · ")}`));
  const findings = new Map(head.findings.map((finding) => [finding.fingerprint, finding]));
  for (const reason of decision.reasons) {
    line(out);
    showReason(reason, findings, out, screen);
  }
  if (base?.status === "incomplete") {
    line(out);
    line(out, paint("yellow", "  The scan of the base is incomplete: what it missed counts as new here."));
  }
}

function showReason(reason: GateDecision["reasons"][number], findings: ReadonlyMap<string, Finding>, out: NodeJS.WritableStream, screen: Screen): void {
  const { paint } = screen;
  put(out, `${paint(reason.effect === "deny" ? "red" : "yellow", reason.rule)}  ${printable(reason.message)}`, "  ", screen);
  const about = reason.fingerprints.flatMap((fingerprint) => findings.get(fingerprint) ?? []);
  for (const finding of about.slice(0, MOST)) showFinding(finding, out, screen);
  if (about.length > MOST) line(out, paint("dim", `    … and ${about.length - MOST} more: --report terminal shows all`));
  put(out, paint("dim", printable(reason.hint)), "  ", screen);
}

function showFinding({ place, rule, title, fix, severity, fingerprint }: Finding, out: NodeJS.WritableStream, screen: Screen): void {
  const { paint } = screen;
  const where = printable(`${[...place.layers, place.path].join("!/")}:${place.line}`);
  put(out, `${paint("bold", where)}  ${severity}: ${printable(title)}`, "    ", screen);
  put(out, paint("dim", `${printable(rule)} · ${fingerprint}`), "      ", screen);
  put(out, printable(fix.text.split("\n")[0] as string), "      ", screen);
}

function put(out: NodeJS.WritableStream, text: string, indent: string, { columns }: Screen): void {
  const lines = Number.isFinite(columns) ? wrap(text, Math.max(30, columns - indent.length)) : [text];
  for (const each of lines) line(out, `${indent}${each}`);
}
