import { Client } from "../client/client.ts";
import { findConnection } from "../client/connection.ts";
import { usage } from "../failure.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

interface Flags {
  policy?: boolean;
  allowDangerous?: boolean;
  home?: string;
  json?: boolean;
}

/** `plastron policy behavior NAME`: what was learnt, in words, as the whole answer (--json), or as a policy (--policy). */
export async function policyBehavior(name: string, flags: Flags, terminal: Terminal): Promise<number> {
  if (flags.allowDangerous && !flags.policy) throw usage("--allow-dangerous needs --policy", "The profile shows what is dangerous as it is.");
  const client = new Client(findConnection(resolveHome(flags.home)));
  if (flags.policy) {
    const made = await client.learnedPolicy(name, flags.allowDangerous ? { allow_dangerous: true } : {});
    if (flags.json) json(terminal, made);
    else terminal.out.write(made.yaml.endsWith("\n") ? made.yaml : `${made.yaml}\n`);
    return 0;
  }
  const behavior = await client.getBehavior(name);
  if (flags.json) {
    json(terminal, behavior);
    return 0;
  }
  const { state, version, started_at, until, skipped, skipped_why, summary } = behavior;
  const end = until === null ? "" : state === "learning" ? `, until ${until}` : `, until ${until}: it is complete`;
  line(
    terminal.out,
    terminal.paint("bold", `${printable(name)}, version ${version}: ${state === "learning" ? "learning" : "learnt"} since ${started_at}${end}`),
  );
  for (const text of summary) line(terminal.out, `  ${printable(text)}`);
  if (skipped > 0)
    line(
      terminal.err,
      terminal.paintErr(
        "yellow",
        `${skipped} ${skipped === 1 ? "run was" : "runs were"} left out${skipped_why === null ? "" : `, the last: ${printable(skipped_why)}`}`,
      ),
    );
  return 0;
}
