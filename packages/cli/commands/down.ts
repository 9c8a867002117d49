import { takeDown } from "../lifecycle/down.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { startProgress } from "../terminal/progress.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";

/** Exit 0 also when nothing ran: what was asked for is so. */
export async function down(flags: { home?: string; json?: boolean }, terminal: Terminal): Promise<number> {
  const home = resolveHome(flags.home);
  const progress = startProgress(terminal, "stopping");
  const result = await takeDown(home).finally(() => progress.done());
  if (flags.json) json(terminal, result);
  else if (!result.stopped) line(terminal.out, `nothing runs on ${home.root}`);
  else
    line(
      terminal.out,
      result.forced.length > 0 ? `stopped; ${result.forced.length} process${result.forced.length > 1 ? "es" : ""} had to be killed` : "stopped",
    );
  return 0;
}
