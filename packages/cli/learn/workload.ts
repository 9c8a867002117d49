import { statSync } from "node:fs";
import { limitsSchema, networkRequestSchema, type Runtime, runtimeSchema } from "@plastron/contracts";
import { usage } from "../failure.ts";
import { parseEnv, readFiles, readProgram } from "../run/inputs.ts";
import { chooseLanguage } from "../run/language.ts";
import { parseLimits } from "../run/limits.ts";
import { parseNetwork } from "../run/network.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Workload } from "./learn.ts";

export interface WorkloadFlags {
  runtime?: string;
  file: string[];
  env: string[];
  limit: string[];
  allowNet?: string[];
}

/** As long as a run may take where nothing is said: it is looked at closely, and under the learned policy each open is asked about. */
const WALL_MS = 60_000;

/**
 * What follows `--`: a file, run by its interpreter with the rest as arguments; or a command, run by bash as it stands, each word
 * quoted, so that `plastron learn -- ls -l` is that and no shell of yours has a say.
 */
export async function readWorkload(words: readonly string[], flags: WorkloadFlags, terminal: Terminal): Promise<Workload> {
  const [first, ...args] = words;
  if (first === undefined) throw usage("there is nothing to learn from", "Name a file or a command behind `--`.");
  const limits = limitsSchema.parse({ wall_ms: WALL_MS, ...parseLimits(flags.limit) });
  const rest = { stdin: "", files: readFiles(flags.file), env: parseEnv(flags.env), imports: [], limits, ...networkOf(flags) };
  if (!statSync(first, { throwIfNoEntry: false })?.isFile()) {
    if (flags.runtime !== undefined && flags.runtime !== "bash") throw usage(`there is no file ${JSON.stringify(first)}`, "Check the path of the program.");
    return { ...rest, runtime: "bash", code: `exec ${words.map(quoted).join(" ")}\n`, args: [] };
  }
  const code = await readProgram(first, terminal);
  return { ...rest, runtime: flags.runtime === undefined ? chooseLanguage(first, code, undefined) : runtimeOf(flags.runtime), code, args };
}

function networkOf({ allowNet }: WorkloadFlags): Pick<Workload, "network"> {
  const { network } = parseNetwork(allowNet ? { allowNet } : {});
  return { network: network === undefined ? undefined : networkRequestSchema.parse(network) };
}

function runtimeOf(word: string): Runtime {
  const found = runtimeSchema.safeParse(word);
  if (!found.success) throw usage(`there is no runtime ${JSON.stringify(word)}`, `It is one of ${runtimeSchema.options.join(", ")}.`);
  return found.data;
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
