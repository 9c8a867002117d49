import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { findIsolation } from "../engine/isolation.ts";
import { runEngine } from "./engine.ts";
import { type Harness, harnessSchema, type Prepared, type PreparedFile, pumpSchema } from "./harness.ts";
import type { FuzzSandbox } from "./port.ts";

const CHECKOUT = realpathSync(join(import.meta.dirname, "../../.."));
const PATIENCE_MS = 60_000;
const MOST_BYTES = 128 * 1024 * 1024;

const preparedSchema = z.object({
  files: z.array(z.object({ path: z.string(), text: z.string() })),
  harnesses: z.array(harnessSchema),
  blocks: z.int().min(0).max(10_000_000),
  dictionary: z.array(z.string()),
  pumps: z.array(pumpSchema.omit({ times: true, path: true })),
  standins: z.record(z.string(), z.array(z.string())),
  notes: z.array(z.string()),
});

/** Instruments JavaScript in a process of its own. Rejects where that dies or takes too long, which hostile sources can bring about. */
export async function prepareJavascriptFiles(files: readonly PreparedFile[], signal?: AbortSignal): Promise<Prepared> {
  const worker = join(import.meta.dirname, "prepare-worker.ts");
  const { prefix } = await findIsolation([worker]);
  const node = [
    process.execPath,
    "--permission",
    "--allow-addons",
    `--allow-fs-read=${CHECKOUT}`,
    "--disable-warning=SecurityWarning",
    "--max-old-space-size=2048",
    worker,
  ];
  const words = [...prefix, ...node];
  const child = spawn(words[0] as string, words.slice(1), {
    ...{ stdio: ["pipe", "pipe", "ignore"], env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8" }, cwd: "/", timeout: PATIENCE_MS, killSignal: "SIGKILL" },
    ...(signal ? { signal } : {}),
  });
  const parts: Buffer[] = [];
  let held = 0;
  child.stdout?.on("data", (part: Buffer) => {
    held += part.length;
    if (held <= MOST_BYTES) parts.push(part);
  });
  child.stdin?.on("error", () => {}); // it died: its end says so
  child.stdin?.end(JSON.stringify(files));
  const code = await new Promise<number | null>((done, fail) => child.once("error", fail).once("close", done));
  if (code !== 0 || held > MOST_BYTES) throw new Error("the sources could not be read by a parser within its limits");
  return preparedSchema.parse(JSON.parse(Buffer.concat(parts).toString("utf8")));
}

/** Never called: a discovery runs no harness. */
const NOBODY: Harness = { id: "", language: "python", kind: "function", module: "", export: "", name: "", params: [], types: "inferred", line: 1 };

/** Python's own parser reads Python, in a sandbox; nothing of the sources is run for that. Rewriting happens where it is run. */
export async function preparePythonFiles(files: readonly PreparedFile[], sandbox: FuzzSandbox, signal?: AbortSignal): Promise<Prepared> {
  const plain: Prepared = { files, harnesses: [], blocks: 1, dictionary: [], pumps: [], standins: {}, notes: [] };
  const { messages } = await runEngine(sandbox, { mode: "discover", harness: NOBODY, prepared: plain, seed: 0, ms: 20_000, patienceMs: 20_000 }, signal);
  const found = messages.find((message) => message.type === "harnesses");
  if (found?.type !== "harnesses") throw new Error("the Python sources could not be read within the sandbox's limits");
  return { ...plain, harnesses: found.harnesses, dictionary: found.dictionary, notes: found.notes };
}
