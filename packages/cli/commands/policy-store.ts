import { Client } from "../client/client.ts";
import { findConnection } from "../client/connection.ts";
import { inPolicyFile, usage } from "../failure.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { readProgram } from "../run/inputs.ts";
import { renderTable } from "../terminal/table.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

interface Flags {
  home?: string;
  json?: boolean;
}

interface PutFlags extends Flags {
  upstreamCompat?: boolean;
  minTier?: number;
  permissive?: boolean;
  clusterAddresses?: string;
}

export async function putPolicy(name: string, file: string, flags: PutFlags, terminal: Terminal): Promise<number> {
  if (flags.permissive || flags.clusterAddresses !== undefined)
    throw usage("what policies may lift, and the cluster's addresses, are the operator's to say", "`plastron up --permissive --cluster-addresses FILE`.");
  const client = clientOf(flags);
  const text = { yaml: await readProgram(file, terminal), upstream_compat: flags.upstreamCompat };
  const put = await inPolicyFile(file, () => client.putPolicy(name, text));
  const stored = flags.minTier === undefined ? put : { ...put, ...(await client.compilePolicy({ ...text, min_tier: flags.minTier })) };
  if (flags.json) json(terminal, stored);
  else {
    line(terminal.out, `stored ${stored.name}, version ${stored.version}`);
    const weaker = stored.fidelity.filter((row) => row.fidelity === "approximate" || row.fidelity === "unsupported");
    for (const row of weaker) line(terminal.err, `${terminal.paintErr("yellow", row.fidelity)} ${printable(row.rule)}: ${printable(row.note)}`);
  }
  return 0;
}

/** The text as it was stored, so that it can be edited and put again. */
export async function getPolicy(name: string, flags: Flags, terminal: Terminal): Promise<number> {
  const stored = await clientOf(flags).getPolicy(name);
  if (flags.json) json(terminal, stored);
  else terminal.out.write(stored.yaml.endsWith("\n") ? stored.yaml : `${stored.yaml}\n`);
  return 0;
}

export async function listPolicies(flags: Flags, terminal: Terminal): Promise<number> {
  const page = await clientOf(flags).listPolicies();
  const rows = page.data.map((policy) => [policy.name, String(policy.version), policy.created_at.slice(0, 19), policy.created_by]);
  if (flags.json) json(terminal, page);
  else if (rows.length === 0) line(terminal.out, "no policy is stored; every run has the built-in one");
  else for (const text of renderTable(["NAME", "VERSION", "STORED", "BY"], rows, terminal)) line(terminal.out, text);
  return 0;
}

export async function deletePolicy(name: string, flags: Flags, terminal: Terminal): Promise<number> {
  await clientOf(flags).deletePolicy(name);
  if (flags.json) json(terminal, { name, deleted: true });
  else line(terminal.out, `deleted ${printable(name)}`);
  return 0;
}

function clientOf(flags: Flags): Client {
  return new Client(findConnection(resolveHome(flags.home)));
}
