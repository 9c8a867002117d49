import type { Problem } from "@plastron/contracts";
import type { Client, RuntimeBody, Runtimes } from "../client/client.ts";
import { Failure } from "../failure.ts";
import { startProgress } from "../terminal/progress.ts";
import { line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

/**
 * Has a runtime built and shows what the installer prints as it comes, on standard error. Leaving ends the build.
 * What it prints is the packages' word: it is shown as text, without what would steer a terminal.
 */
export async function build(client: Pick<Client, "buildRuntime">, path: string, body: RuntimeBody, terminal: Terminal): Promise<Runtimes> {
  const leave = new AbortController();
  const interrupted = (): void => {
    leave.abort();
    process.exit(130);
  };
  process.once("SIGINT", interrupted);
  const progress = startProgress(terminal, "waiting for a sandbox");
  let rest = "";
  const say = (text: string): void => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const words of lines) line(terminal.err, terminal.paintErr("dim", printable(words)));
  };
  try {
    for await (const { event, data } of client.buildRuntime(path, body, leave.signal)) {
      progress.done();
      if (event === "progress") say((JSON.parse(data) as { text: string }).text);
      if (event === "result") return JSON.parse(data) as Runtimes;
      if (event !== "error") continue;
      const { code, detail, hint, errors } = JSON.parse(data) as Problem;
      throw new Failure(code, detail, { hint, errors });
    }
    throw new Failure("internal", "the stream ended without a result", { hint: "Did the server stop? `plastron status` tells." });
  } finally {
    progress.done();
    process.off("SIGINT", interrupted);
  }
}
