import type { Fidelity, FidelityRow, HostFacts, Tier } from "@plastron/contracts";
import { inPolicyFile } from "../failure.ts";
import { readCluster } from "../policy-test/cluster.ts";
import { readProgram } from "../run/inputs.ts";
import { startProgress } from "../terminal/progress.ts";
import { renderTable } from "../terminal/table.ts";
import { json, line, type Style, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

interface Flags {
  upstreamCompat?: boolean;
  permissive?: boolean;
  clusterAddresses?: string;
  minTier?: Tier;
  json?: boolean;
}

const STYLES: Record<Fidelity, Style> = { exact: "green", stricter: "green", "by-construction": "green", approximate: "yellow", unsupported: "red" };

/** Valid: exit 0, with a warning for whatever upstream would pass over in silence. Not valid: the Failure lists each error with its line (exit 2). */
export async function checkPolicy(file: string, flags: Flags, terminal: Terminal): Promise<number> {
  const [{ compiled }, { IGNORED }] = await Promise.all([compile(file, flags, terminal), import("@plastron/policy")]);
  const { confinement, fidelity } = compiled;
  const ignored = fidelity.filter(({ mechanism }) => mechanism === IGNORED);
  if (flags.json) {
    const warnings = ignored.map(({ rule, category, note }) => ({ rule, path: category, message: note }));
    json(terminal, { valid: true, policy: confinement.policy, confinement: confinement.id, rules: fidelity.length, warnings });
    return 0;
  }
  for (const { category, note } of ignored) line(terminal.err, `${terminal.paintErr("yellow", "warning")} ${printable(`${file}: ${category}: ${note}`)}`);
  const own = fidelity.filter((of) => !isFloor(of) && of.mechanism !== IGNORED).length;
  const rules = `${own} rule${own === 1 ? "" : "s"} of its own`;
  line(terminal.out, `${terminal.paint("green", "valid")}: ${printable(confinement.policy)}, ${rules}, tier ${confinement.min_tier} or stronger`);
  return 0;
}

/** The fidelity report: how each rule is enforced on this host, and what is weaker or stricter than upstream. */
export async function explainPolicy(file: string, flags: Flags, terminal: Terminal): Promise<number> {
  const { compiled, host } = await compile(file, flags, terminal);
  if (flags.json) {
    json(terminal, {
      policy: compiled.confinement.policy,
      confinement: compiled.confinement.id,
      min_tier: compiled.confinement.min_tier,
      host,
      fidelity: compiled.fidelity,
    });
    return 0;
  }
  showFidelity(compiled.fidelity, file, terminal);
  return 0;
}

/** What the policy asks for, then what lies under every policy, then the sum. */
function showFidelity(rows: FidelityRow[], file: string, terminal: Terminal): void {
  const table = (title: string, shown: FidelityRow[]) => {
    if (shown.length === 0) return;
    line(terminal.out, terminal.paint("bold", title));
    for (const text of renderTable(["RULE", "FIDELITY", "HOW"], shown.map(row), terminal)) line(terminal.out, text);
    line(terminal.out);
  };
  table(
    "What the policy asks for",
    rows.filter((of) => !isFloor(of)),
  );
  table("What lies under every policy", rows.filter(isFloor));
  const counts = (Object.keys(STYLES) as Fidelity[]).map((name) => ({ name, count: rows.filter((of) => of.fidelity === name).length }));
  const sum = counts.flatMap(({ name, count }) => (count === 0 ? [] : [terminal.paint(STYLES[name], `${count} ${name}`)])).join(", ");
  line(terminal.out, `${rows.length} rules: ${sum}. \`plastron policy test ${printable(file)}\` tries each one.`);
}

/** Runs every rule's programs in real sandboxes of this host. Exit 1 when one does not do as the policy says. */
export async function testPolicy(file: string, flags: Flags, terminal: Terminal): Promise<number> {
  const { compiled, minTier } = await compile(file, flags, terminal);
  const { runLiveTests } = await import("../policy-test/live.ts");
  const progress = startProgress(terminal, "making sandboxes", 300);
  const report = await runLiveTests(compiled, (done, of) => progress.say(`testing ${done} of ${of}`), minTier).finally(() => progress.done());
  if (flags.json) json(terminal, report);
  else {
    const { showLiveTests } = await import("../policy-test/show.ts");
    showLiveTests(report, terminal);
  }
  return report.failed === 0 ? 0 : 1;
}

/** Compiles for this host as its operator would run it: with the consent and the cluster that the flags name, for the driver that would run it. */
async function compile(file: string, flags: Flags, terminal: Terminal) {
  const text = await readProgram(file, terminal);
  const cluster = flags.clusterAddresses === undefined ? null : await readCluster(flags.clusterAddresses);
  const [{ compilePolicy, parsePolicy }, { hostFacts }] = await Promise.all([import("@plastron/policy"), import("@plastron/sandbox")]);
  const probe: (minTier: Tier) => Promise<HostFacts> = hostFacts;
  const factsOf = async (tier: Tier): Promise<HostFacts> => ({ ...(await probe(tier)), permissive: flags.permissive === true, cluster });
  const asked = flags.minTier ?? 1;
  return await inPolicyFile(file, async () => {
    const policy = parsePolicy(text, { upstreamCompat: flags.upstreamCompat === true });
    const host = await factsOf(asked);
    const compiled = compilePolicy(policy, host);
    const needed = compiled.confinement.min_tier;
    if (needed <= Math.max(host.tier, asked)) return { compiled, host, minTier: asked };
    const stronger = await factsOf(needed);
    return { compiled: compilePolicy(policy, stronger), host: stronger, minTier: needed };
  });
}

function isFloor({ rule }: FidelityRow): boolean {
  return rule.startsWith("floor-");
}

function row(of: FidelityRow) {
  const how = of.note === "" ? of.mechanism : `${of.mechanism}. ${of.note.charAt(0).toUpperCase()}${of.note.slice(1)}`;
  return [printable(of.rule), { text: of.fidelity, style: STYLES[of.fidelity] }, { text: printable(how) }];
}
