/** Analysers that misbehave, each as the file in front of them tells it to: `loadAnalysers` of the engine's own tests. */
import type { MatchInput } from "@plastron/contracts";
import type { Analyser, Look, ScanFile } from "../../analyser.ts";

const NOTHING: Look<string> = { matches: [], facts: null, gaps: [] };

/** Says what it sees: a match for each line with the word BAD, and the file's first line as its fact. */
const code: Analyser<string> = {
  name: "code",
  version: "code-1",
  wants: ({ language }) => language !== "binary",
  file(file) {
    obey(file);
    const word = /^OBEY (\S+)/.exec(file.text ?? "")?.[1];
    if (word === "lie") return { matches: [{ rule: 1 } as unknown as MatchInput], facts: null, gaps: [] };
    if (word === "babble") return { matches: "none", facts: null, gaps: { length: 1 } } as unknown as Look<string>;
    if (word === "flood") return { matches: Array.from({ length: 5000 }, (_, at) => matchOf(file.path, [], at + 1, `${at}`)), facts: null, gaps: [] };
    const lines = (file.text ?? "").split("\n", 1000);
    return {
      matches: lines.flatMap((text, at) => (text.includes("BAD") ? [matchOf(file.path, file.layers, at + 1, text)] : [])),
      facts: word === "boast" ? "x".repeat(50_000_000) : (lines[0] ?? "").slice(0, 200),
      gaps: [],
    };
  },
  project(project) {
    const facts = [...project.facts<string>("code")];
    if (facts.some(([, first]) => first === "PROJECT-HANG")) hang();
    if (facts.some(([, first]) => first === "PROJECT-DIE")) process.abort();
    if (facts.length === 0) return { ...NOTHING, facts: null };
    return { matches: [matchOf("", [], 1, `facts of ${facts.map(([key]) => key).join(" ")} among ${project.files.length}`)], facts: null, gaps: [] };
  },
};

/** A second one, which must not suffer from the first. */
const secrets: Analyser<string> = {
  name: "secrets",
  version: "secrets-1",
  wants: () => true,
  file: (file) => ({
    ...NOTHING,
    matches: file.text?.includes("SECRET") ? [{ ...matchOf(file.path, file.layers, 1, "SECRET"), analyser: "secrets", rule: "secrets/test" }] : [],
  }),
};

export async function loadAnalysers(config: { analysers: readonly string[] }): Promise<Analyser[]> {
  if (config.analysers.includes("fuzz")) throw new Error("these rules cannot be read");
  return [code, secrets].filter(({ name }) => config.analysers.includes(name)) as Analyser[];
}

const kept: Buffer[] = [];

function obey({ text }: ScanFile): void {
  const word = /^OBEY (\S+)/.exec(text ?? "")?.[1];
  if (word === "hang") hang();
  if (word === "sleep") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  if (word === "abort") process.abort();
  if (word === "exit") process.exit(0);
  if (word === "throw") throw new Error("thrown by the analyser");
  if (word === "recurse") obey({ text } as ScanFile);
  if (word === "heap") for (const all: string[][] = []; ; ) all.push(Array.from({ length: 100_000 }, (_, at) => `${at}`));
  if (word === "buffers") for (;;) kept.push(Buffer.alloc(16 * 2 ** 20, 1));
  if (word === "kill") process.kill(process.pid, "SIGKILL");
  if (word === "write") throw new Error(tried(() => process.getBuiltinModule("node:fs").writeFileSync("/tmp/plastron-was-here", "")));
  if (word === "read") throw new Error(tried(() => process.getBuiltinModule("node:fs").readFileSync("/etc/passwd")));
  if (word === "tell") {
    const { networkInterfaces } = process.getBuiltinModule("node:os");
    throw new Error(`uid=${process.getuid?.()} interfaces=${Object.keys(networkInterfaces()).join()} environment=${JSON.stringify(process.env)}`);
  }
  if (word === "spawn") throw new Error(tried(() => process.getBuiltinModule("node:child_process").spawnSync("id")));
}

function tried(work: () => unknown): string {
  try {
    work();
    return "it was allowed";
  } catch (error) {
    return `refused: ${(error as NodeJS.ErrnoException).code}`;
  }
}

function hang(): never {
  for (;;) if (Date.now() < 0) throw new Error("never");
}

function matchOf(path: string, layers: readonly string[], line: number, text: string): MatchInput {
  const place = { path, layers: [...layers], line, column: 1, end_line: line, end_column: 2, snippet: text.slice(0, 200) };
  return {
    rule: "code/test/bad",
    analyser: "code",
    verdict: "weakness",
    title: "A bad line",
    message: text.slice(0, 200),
    severity: "high",
    confidence: "high",
    place,
    anchor: text.slice(0, 100),
    fix: { text: "Take it out." },
  };
}
