import { Client } from "undici";
import type { Endpoint } from "./platform.ts";

/** One program whose right answer is known: a fast wrong one must not look good. */
interface BenchProgram {
  language: "python3" | "nodejs" | "bash";
  code: string;
  imports: readonly string[];
  stdout: string;
}

export const PROGRAMS = {
  python: { language: "python3", code: "print(1)", imports: [], stdout: "1\n" },
  node: { language: "nodejs", code: "console.log(1)", imports: [], stdout: "1\n" },
  bash: { language: "bash", code: "echo 1", imports: [], stdout: "1\n" },
  numpy_pandas: {
    language: "python3",
    code: "import numpy, pandas\nprint(pandas.DataFrame({'a': numpy.arange(4)}).a.sum())",
    imports: ["numpy", "pandas"],
    stdout: "6\n",
  },
} as const satisfies Record<string, BenchProgram>;
export type ProgramName = keyof typeof PROGRAMS;

/** One answer. What a peer does not tell is null. */
export interface Sample {
  ms: number;
  start: "warm" | "cold" | null;
  source: "process" | "zygote" | null;
  phases_us: Record<string, number>;
}

/** One way of having one program run, over one connection. `once` rejects where the answer is not the expected one. */
export interface Subject {
  once(): Promise<Sample>;
  close(): Promise<void>;
}
export type MakeSubject = () => Subject;

/** `POST /v1/runs`, with whatever else of a request. */
export function runSubject({ url, key }: Endpoint, program: BenchProgram, more: { min_tier?: number } = {}): MakeSubject {
  const { stdout, ...rest } = program;
  const body = { ...rest, ...more };
  return httpSubject(url, "/v1/runs", { authorization: `Bearer ${key}` }, body, (answer, ms) => {
    const run = answer as { status: string; stdout: string; stderr: string; sandbox: Pick<Sample, "start" | "source">; phases_us: Record<string, number> };
    if (run.status !== "completed" || run.stdout !== stdout) throw new Error(`the run ${run.status}: ${lastLine(run.stderr)}`);
    return { ms, start: run.sandbox.start, source: run.sandbox.source, phases_us: run.phases_us };
  });
}

/** `POST /v1/sandbox/run`, Dify's code-execution API: of ours, or of whatever else speaks it. */
export function difySubject({ url, key }: Endpoint, program: BenchProgram): MakeSubject {
  const body = { language: program.language, code: program.code, preload: "", enable_network: true }; // as Dify's own client sends it
  return httpSubject(url, "/v1/sandbox/run", { "x-api-key": key }, body, (answer, ms) => {
    const { code, message, data } = answer as { code: number; message: string; data: { stdout: string; error: string } | null };
    if (code !== 0 || data?.error || data?.stdout.trim() !== program.stdout.trim()) throw new Error(`code ${code}, ${message}: ${lastLine(data?.error ?? "")}`);
    return { ms, start: null, source: null, phases_us: {} };
  });
}

/** A program of a millisecond that is not answered by then never will be: a failed run, and not a bench that hangs. */
export const STUCK_MS = 20_000;

/** Latency is from before the request is written until its whole body is here; parsing and judging it come after. */
function httpSubject(url: string, path: string, auth: Record<string, string>, body: object, judge: (answer: unknown, ms: number) => Sample): MakeSubject {
  const { origin, pathname } = new URL(url);
  const request = {
    method: "POST" as const,
    path: pathname.replace(/\/$/, "") + path,
    headers: { ...auth, "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  return () => {
    const client = new Client(origin, { pipelining: 1, keepAliveTimeout: 60_000, headersTimeout: STUCK_MS, bodyTimeout: STUCK_MS });
    return {
      async once() {
        const start = process.hrtime.bigint();
        const { statusCode, body: reply } = await client.request(request);
        const text = await reply.text();
        const ms = Number(process.hrtime.bigint() - start) / 1e6;
        if (statusCode !== 200) throw new Error(`${path} answered ${statusCode}: ${text.slice(0, 200)}`);
        return judge(JSON.parse(text), ms);
      },
      close: () => client.close(),
    };
  };
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1)?.slice(0, 200) || "the output is not the expected one";
}
