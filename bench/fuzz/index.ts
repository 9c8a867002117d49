/** What the fuzz loop does in a second, and what coverage is worth: the time to a planted fault beside inputs that are changed at random, in the same run. */
import { withFuzzSandbox } from "../../packages/cli/fuzz/sandbox.ts";
import { fuzzPrepared } from "../../packages/scan/fuzz/fuzz.ts";
import type { Prepared } from "../../packages/scan/fuzz/harness.ts";
import type { FuzzSandbox } from "../../packages/scan/fuzz/port.ts";
import { prepareJavascriptFiles, preparePythonFiles } from "../../packages/scan/fuzz/prepare.ts";

const STRING = "/** @param {string} s */\n";
const TRIVIAL = `${STRING}exports.f = (s) => (s.length > 3 ? 1 : 2);`;
const PLANTED = `${STRING}exports.f = (s) => { if (s.startsWith("FUZZ") && s.length > 7 && s[5] === "x") return null.x; };`;
const PYTHON =
  "def f(s: str):\n    depth = 0\n    for c in s:\n        if c == '(':\n            depth += 1\n        elif c == ')':\n            depth -= 1\n    return depth\n";
const PARSER = `${STRING}exports.f = (s) => { let i = 0;
const value = (depth) => { if (depth > 200) throw new Error("deep"); while (s[i] === " ") i++; const c = s[i++];
  if (c === "[") { const all = []; if (s[i] === "]") return i++, all; do all.push(value(depth + 1)); while (s[i++] === ","); if (s[i - 1] !== "]") throw new Error("]"); return all; }
  if (c === '"') { const from = i; while (i < s.length && s[i] !== '"') i += s[i] === "\\\\" ? 2 : 1; i++; return s.slice(from, i - 1); }
  if (c >= "0" && c <= "9") { const from = i - 1; while (s[i] >= "0" && s[i] <= "9") i++; return Number(s.slice(from, i)); }
  for (const [word, held] of [["true", true], ["false", false], ["null", null]]) if (s.startsWith(word, i - 1)) return (i += word.length - 1), held;
  throw new Error("unexpected"); };
return value(0); };`;

interface Rate {
  target: string;
  executions: number;
  per_second: number;
}

interface Search {
  seed: number;
  guided_ms: number | null;
  guided_executions: number | null;
  /** Null: not found within the same time. */
  random_ms: number | null;
}

export interface FuzzReport {
  seconds: number;
  rates: Rate[];
  searches: Search[];
}

export async function benchFuzz(quick: boolean, say: (text: string) => void): Promise<FuzzReport> {
  const seconds = quick ? 2 : 5;
  return withFuzzSandbox(async (sandbox) => {
    const rates: Rate[] = [];
    for (const [target, text] of [
      ["trivial JavaScript", TRIVIAL],
      ["JSON-like parser, JavaScript", PARSER],
    ] as const) {
      say(`fuzzing ${target}`);
      rates.push(await rateOf(target, await prepareJavascriptFiles([{ path: "a.js", text }]), sandbox, seconds));
    }
    say("fuzzing Python");
    rates.push(await rateOf("a loop over characters, Python", await preparePythonFiles([{ path: "a.py", text: PYTHON }], sandbox), sandbox, seconds));
    const searches: Search[] = [];
    const planted = await prepareJavascriptFiles([{ path: "a.js", text: PLANTED }]);
    for (const seed of quick ? [1] : [1, 2, 3]) {
      say(`searching for a planted fault, seed ${seed}`);
      searches.push(await search(planted, sandbox, seconds, seed));
    }
    return { seconds, rates, searches };
  }, "unseen");
}

async function rateOf(target: string, prepared: Prepared, sandbox: FuzzSandbox, seconds: number): Promise<Rate> {
  const { harnesses } = await fuzzPrepared(prepared, prepared.harnesses, { sandbox, seconds, seed: 1 });
  const [{ executions, ms } = { executions: 0, ms: 0 }] = harnesses;
  return { target, executions, per_second: ms > 0 ? Math.round((executions / ms) * 1000) : 0 };
}

async function search(prepared: Prepared, sandbox: FuzzSandbox, seconds: number, seed: number): Promise<Search> {
  const first = async (target: Prepared, guided: boolean) =>
    (await fuzzPrepared(target, target.harnesses, { sandbox, seconds, seed, guided, stopAtFirst: true })).harnesses[0]?.firstFound ?? null;
  const guided = await first(prepared, true);
  const random = await first({ ...prepared, dictionary: [] }, false);
  return { seed, guided_ms: guided?.ms ?? null, guided_executions: guided?.executions ?? null, random_ms: random?.ms ?? null };
}

export function printFuzz({ seconds, rates, searches }: FuzzReport): string[] {
  const ms = (value: number | null) => (value === null ? `not within ${seconds} s` : `${value.toFixed(0)} ms`);
  return [
    `Executions a second, in a sandbox (one core, ${seconds} s each)`,
    ...rates.map(({ target, per_second }) => `  ${target.padEnd(34)}${per_second.toLocaleString("en").padStart(10)}`),
    "",
    "Time to a fault behind magic values: led by coverage, and at random, with neither coverage nor words of the target, in the same run",
    ...searches.map(
      ({ seed, guided_ms, guided_executions, random_ms }) =>
        `  seed ${seed}: ${ms(guided_ms)} (${guided_executions ?? "–"} executions); at random: ${ms(random_ms)}`,
    ),
  ];
}
