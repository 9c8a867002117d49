import { readFileSync, writeFileSync } from "node:fs";
import { PlastronError, type Program } from "@plastron/contracts";
import type { Advice, AdviseRequest } from "@plastron/policy";
import { usage } from "../failure.ts";
import type { Learned, Verified } from "../policy-advise/workload.ts";
import { readFiles, readProgram } from "../run/inputs.ts";
import { chooseLanguage } from "../run/language.ts";
import { startProgress } from "../terminal/progress.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

export interface AdviseFlags {
  name: string;
  enforcer: string[];
  capability: string[];
  feature: string[];
  profile?: string;
  workload?: string;
  language?: string;
  file: string[];
  arg: string[];
  output?: string;
  json?: boolean;
}

/**
 * Advises a policy for what is said of a workload; with `--workload`, lets it run once while observing, and then for real under
 * the advised policy. Exit 1 where the workload does not pass the policy that was made from it.
 */
export async function advisePolicy(flags: AdviseFlags, terminal: Terminal): Promise<number> {
  const { advise, adviceText, readBehavior } = await import("@plastron/policy");
  const request: AdviseRequest = {
    name: flags.name,
    enforcers: flags.enforcer.flatMap((list) => list.split(",")),
    capabilities: flags.capability.flatMap((list) => list.split(",")),
    features: flags.feature.flatMap((list) => list.split(",")),
    behavior: flags.profile === undefined ? null : readBehavior(readJson(flags.profile)),
  };
  const tried = flags.workload === undefined ? null : await tryWorkload(request, flags, terminal);
  const advice = tried?.learned.advice ?? advise(request);
  const text = adviceText(advice);
  if (flags.output !== undefined) writeFileSync(flags.output, text);
  if (flags.json) json(terminal, { ...advice, yaml: text, learned: tried && { ...tried.learned, advice: undefined }, verified: tried?.verified ?? null });
  else {
    if (flags.output === undefined) terminal.out.write(text);
    summarise(advice, tried, terminal);
  }
  return tried === null || tried.verified.passed ? 0 : 1;
}

async function tryWorkload(request: AdviseRequest, flags: AdviseFlags, terminal: Terminal): Promise<{ learned: Learned; verified: Verified }> {
  const path = flags.workload as string;
  const code = await readProgram(path, terminal);
  const workload: Pick<Program, "runtime" | "code" | "args" | "files" | "stdin"> = {
    runtime: chooseLanguage(path, code, flags.language),
    code,
    args: flags.arg,
    files: readFiles(flags.file),
    stdin: "",
  };
  const [{ learn, verify }, { withOwnDriver }, { hostFacts }] = await Promise.all([
    import("../policy-advise/workload.ts"),
    import("../run/own-driver.ts"),
    import("@plastron/sandbox"),
  ]);
  const progress = startProgress(terminal, "letting the workload run while observing", 300);
  try {
    return await withOwnDriver(async (driver) => {
      const host = await hostFacts();
      const learned = await learn(request, workload, driver, host);
      progress.say("letting it run under the advised policy");
      return { learned, verified: await verify(learned.advice, learned.expected, workload, driver, host) };
    });
  } finally {
    progress.done();
  }
}

/** On standard error, so that the policy alone can be redirected into a file. */
function summarise({ decisions, raw }: Advice, tried: { learned: Learned; verified: Verified } | null, terminal: Terminal): void {
  const count = (decision: string): number => decisions.filter((each) => each.decision === decision).length;
  const { err, paintErr } = terminal;
  line(err, `${count("in")} rules in, ${count("out")} left out, ${raw.length} raw. The reasons stand in the policy.`);
  if (!tried) return;
  const { learned, verified } = tried;
  if (learned.observed.length > 0) line(err, `the workload hit: ${learned.observed.map(({ rule, what }) => `${rule} (${printable(what)})`).join("; ")}`);
  if (verified.passed) {
    line(err, `${paintErr("green", "verified")}: the workload ran under it as before (${verified.status}) and hit no rule.`);
    return;
  }
  const hit = verified.violations.map(({ rule_id }) => rule_id);
  const why = hit.length > 0 ? `it hit ${[...new Set(hit)].join(", ")}` : `it ended as ${verified.status} (exit ${verified.exit_code ?? "none"})`;
  line(
    err,
    `${paintErr("red", "not verified")}: ${why}; without the policy it ended as ${learned.expected.status} (exit ${learned.expected.exit_code ?? "none"}).`,
  );
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) throw new PlastronError("invalid_json", `${path} is not JSON: ${error.message}`);
    throw usage(`${path} cannot be read`, "Check the path.");
  }
}
