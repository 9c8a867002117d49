import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunResult } from "@plastron/contracts";
import { type Input, Listener, type Message } from "./frames.ts";
import type { Harness, Prepared, Pump } from "./harness.ts";
import type { FuzzOrder, FuzzSandbox } from "./port.ts";

/** What an engine is to do. */
export interface Job {
  readonly mode: "fuzz" | "replay" | "growth" | "discover";
  readonly harness: Harness;
  readonly prepared: Prepared;
  readonly seed: number;
  /** Of the loop. */
  readonly ms: number;
  /** A run of the target that takes longer hangs. */
  readonly patienceMs: number;
  readonly inputs?: readonly Input[];
  readonly corpus?: readonly Input[];
  readonly dictionary?: readonly string[];
  readonly pumps?: readonly Omit<Pump, "times" | "path">[];
  readonly pump?: Pump;
  readonly first?: number;
  readonly factor?: number;
  /** Keys of what is found already. */
  readonly known?: readonly string[];
  /** False: inputs are changed at random, as a measure of what coverage is worth. */
  readonly guided?: boolean;
  readonly stopAtFirst?: boolean;
  readonly most?: number;
}

export interface Ran {
  readonly messages: readonly Message[];
  readonly result: Awaited<ReturnType<FuzzSandbox["run"]>>;
  /** What the target had been given when it ended, where that can be known. */
  readonly last: { readonly args: Input } | null;
}

const ENGINES = join(import.meta.dirname, "engine");
/** Before the loop and behind it: a busy machine starts interpreters slowly. */
const AROUND_MS = 15_000;

/** Runs an engine with its target in one fresh sandbox. What comes back is the target's word as much as ours. */
export async function runEngine(sandbox: FuzzSandbox, job: Job, signal?: AbortSignal): Promise<Ran> {
  const word = `@pf${randomBytes(16).toString("hex")}:`;
  const listener = new Listener(word);
  const result = await sandbox.run(orderOf(job, word), (chunk) => listener.take(chunk), signal);
  return { messages: listener.messages, result, last: lastInput(result) };
}

function orderOf(job: Job, word: string): FuzzOrder {
  const python = job.harness.language === "python";
  const content = JSON.stringify(jobFile(job));
  const files = [...engineFiles(python ? "python" : "node"), { path: ".pf/job.json", content }];
  const code = python ? "import sys\nsys.path.insert(0, '/workspace/.pf')\nimport pf_main\npf_main.main()\n" : 'require("/workspace/.pf/main.cjs");\n';
  return { runtime: python ? "python3" : "nodejs", code, files, stdin: word, collect: [".pf/input"], wallMs: Math.round(job.ms) + AROUND_MS };
}

function jobFile({ prepared, ...job }: Job): object {
  const { files, blocks, standins, dictionary } = prepared;
  return {
    ...{ corpus: [], inputs: [], pumps: [], known: [], guided: true, stopAtFirst: false, most: 0, first: 8, factor: 1.5 },
    ...job,
    ...{ blocks, standins, dictionary: [...ATTACKS, ...(job.dictionary ?? []), ...dictionary], secret: SECRET },
    files: files.map(({ path, text }) => [path, text]),
  };
}

/** The word that must never be obeyed, in the clothes in which it would be. */
const ATTACKS = [
  ...[
    "pfzq7",
    ";pfzq7;",
    "$(pfzq7)",
    "`pfzq7`",
    "';pfzq7;'",
    '";pfzq7;"',
    "|pfzq7",
    "&&pfzq7",
    "\npfzq7\n",
    "' pfzq7 '",
    '" pfzq7 "',
    " pfzq7 ",
    "');pfzq7;('",
  ],
  ...["../../../../../../../../pfzq7", "../pfzq7", "/pfzq7", "..%2f..%2fpfzq7", "__proto__", "__proto__.pfzq7", "constructor.prototype.pfzq7", "prototype"],
  ...['{"__proto__":{"pfzq7":1}}', '{"constructor":{"prototype":{"pfzq7":1}}}', "__proto__[pfzq7]=1", "API_KEY", "OPENAI_API_KEY"],
];
/** Stands in the sandbox's environment, where a target's own secrets would. */
const SECRET = ["pf", "canary", "7c1e9a40d2b86f35"].join("-");

const read = new Map<string, { path: string; content: string }[]>();

function engineFiles(name: "node" | "python"): readonly { path: string; content: string }[] {
  const known = read.get(name);
  if (known) return known;
  const directory = join(ENGINES, name);
  const names = readdirSync(directory).filter((file) => /\.(cjs|py)$/.test(file));
  const files = names.map((file) => ({ path: `.pf/${file}`, content: readFileSync(join(directory, file), "utf8") }));
  read.set(name, files);
  return files;
}

/** The file holds one line, and behind it what is left of longer ones before. Attacker-controlled. */
function lastInput({ artifacts }: Pick<RunResult, "artifacts">): { args: Input } | null {
  const file = artifacts.find(({ path }) => path === ".pf/input");
  if (!file) return null;
  try {
    const args: unknown = JSON.parse(Buffer.from(file.content, "base64").toString("utf8").split("\n", 1)[0] ?? "");
    return Array.isArray(args) && args.length <= 16 ? { args } : null;
  } catch {
    return null;
  }
}
