import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ENGINE = join(import.meta.dirname, "../engine/python");

/** Interpreters of this machine, newest patch of each: those of pyenv, and whatever `python3` is. */
function interpreters(): [version: string, path: string][] {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  const kept = existsSync(versions) ? readdirSync(versions).map((name) => join(versions, name, "bin/python")) : [];
  const found = new Map<string, string>();
  for (const path of [...kept, "python3"]) {
    try {
      const version = execFileSync(path, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"], { encoding: "utf8" }).trim();
      if (Number(version.split(".")[1]) >= 10) found.set(version, path);
    } catch {
      // It is not there, or is no interpreter.
    }
  }
  return [...found];
}

const ALL = interpreters();
const MONITORED = ALL.filter(([version]) => Number(version.split(".")[1]) >= 12);

/**
 * Calls one target with inputs, one after another, under three means of counting: `plain` is Python's own tracer over the source as it stands, and
 * the measure of the others. Each says what came back and whether the input reached anything new.
 */
const PROGRAM = `
import json, sys
job = json.load(sys.stdin)
sys.path.insert(0, job["engine"])
if job["means"] == "rewritten" and hasattr(sys, "monitoring"):
    del sys.monitoring
import pf_feedback, pf_oracles, traceback
path = "/t/a.py"
pf_oracles.current["root"] = "/t"
edges, last = set(), [None]
def tracer(frame, event, arg):
    if frame.f_code.co_filename != path:
        return None
    if event == "call":
        last[0] = (frame.f_code.co_name, 0)
    if event == "line":
        here = (frame.f_code.co_name, frame.f_lineno)
        edges.add((last[0], here))
        last[0] = here
    return tracer
scope = {"__name__": "a"}
if job["means"] == "plain":
    said = "plain"
    exec(compile(job["source"], path, "exec", dont_inherit=True), scope)
else:
    said = pf_feedback.start("/t")
    exec(pf_feedback.compile_source(job["source"], path), scope)
out = []
for given in job["inputs"]:
    before = len(edges)
    pf_feedback.state["news"] = False
    crash = None
    try:
        if job["means"] == "plain":
            sys.settrace(tracer)
        result = repr(scope["f"](given))
    except BaseException as error:
        sys.settrace(None)
        result = type(error).__name__ + ": " + str(error)
        try:
            crash = pf_oracles.crash(error, pf_feedback.state["raises"])
        except pf_oracles.Broken as broken:
            crash = {"oracle": "broken", "key": str(broken)}
    finally:
        sys.settrace(None)
    out.append({"result": result, "news": pf_feedback.state["news"] if job["means"] != "plain" else len(edges) > before, "crash": crash and crash["oracle"]})
print(json.dumps({"said": said, "runs": out}))
`;

interface Told {
  readonly said: string;
  readonly runs: readonly { readonly result: string; readonly news: boolean; readonly crash: string | null }[];
}

function run(python: string, means: "plain" | "monitored" | "rewritten", source: string, inputs: readonly string[]): Told {
  const input = JSON.stringify({ engine: ENGINE, means, source, inputs });
  return JSON.parse(execFileSync(python, ["-I", "-c", PROGRAM], { input, encoding: "utf8", timeout: 60_000 })) as Told;
}

/** What code is made of, and inputs of which each but the repeated ones goes another way. */
const TARGETS: readonly (readonly [what: string, source: string, inputs: readonly string[]])[] = [
  [
    "branches",
    "def f(s):\n    if s.isdigit():\n        return 1\n    elif s.isupper():\n        return 2\n    else:\n        return 3\n",
    ["x", "y", "1", "2", "A"],
  ],
  [
    "loops",
    "def f(s):\n    n = 0\n    for c in s:\n        if c.isspace():\n            continue\n        n += 1\n    else:\n        n += 10\n    while n > 20:\n        n -= 1\n    return n\n",
    ["", "a", "a b", `a${"b".repeat(30)}`],
  ],
  [
    "classes, with members that Python renames",
    "class Foo:\n    LIMIT = 3 if len('abc') == 3 else 4\n    def __init__(self, s):\n        self.__s = s\n    def __hidden(self):\n        if self.__s == 'abc' and len(self.__s) > 2:\n            return 'yes'\n        return 'no'\n    def go(self):\n        return self.__hidden()\ndef f(s):\n    return Foo(s).go()\n",
    ["x", "abc"],
  ],
  [
    "errors",
    "def f(s):\n    try:\n        return int(s)\n    except ValueError:\n        return s.index('k')\n    finally:\n        s.strip()\n",
    ["1", "xk", "x"],
  ],
  [
    "cases",
    "def f(s):\n    match s.split():\n        case ['go', where] if where != 'home':\n            return where\n        case ['stop']:\n            return 'stopped'\n        case _:\n            return None\n",
    ["", "go home", "go away", "stop"],
  ],
  [
    "generators, comprehensions and closures",
    "def f(s):\n    def g():\n        for c in s:\n            if c.isdigit():\n                yield int(c)\n    keep = lambda c: c if c else 'none'\n    return [*g(), *(x for x in s if x.isupper()), keep(s)]\n",
    ["", "a", "1", "B"],
  ],
  [
    "a document, futures and annotations",
    '"""Words."""\nfrom __future__ import annotations\n\nasync def g(s: Nowhere) -> "Never":\n    """Words."""\n    return s\n\ndef f(s):\n    """Words."""\n    import asyncio\n    if s.isdigit():\n        """Words."""\n        return asyncio.run(g(s))\n    return f.__doc__\n',
    ["a", "1"],
  ],
];

describe.each(ALL)("[needs: python] under Python %s", (version, python) => {
  test.each(TARGETS)("%s do the same when they are counted, and what is new is seen", (_, source, inputs) => {
    const plain = run(python, "plain", source, inputs);
    for (const means of Number(version.split(".")[1]) >= 12 ? (["monitored", "rewritten"] as const) : (["rewritten"] as const)) {
      const counted = run(python, means, source, inputs);
      expect(
        counted.runs.map(({ result }) => result),
        means,
      ).toEqual(plain.runs.map(({ result }) => result));
      const missed = plain.runs.flatMap(({ news }, at) => (news && !counted.runs[at]?.news ? [inputs[at]] : []));
      expect(missed, means).toEqual([]);
    }
  });

  test("an input that reaches nothing new is not news, however often", () => {
    const { runs } = run(python, "rewritten", TARGETS[0]?.[1] as string, ["a", "a", "a", "1", "1", "1", "a"]);
    expect(runs.map(({ news }) => news)).toEqual([true, false, false, true, false, false, false]);
  });

  test("a fault of the target is its own; a fault of the counting is told as such, and never as the target's", () => {
    const faulty = "def f(s):\n    if s == 'null':\n        return None.x\n    return s\n";
    expect(run(python, "rewritten", faulty, ["null"]).runs[0]?.crash).toBe("crash");
    const tampered = "import builtins\ndel builtins.__pf_hit__\ndef f(s):\n    if s.isdigit():\n        return 1\n    return s\n";
    expect(run(python, "rewritten", tampered, ["1"]).runs[0]?.crash).toBe("broken");
    const inside = "import pf_feedback\npf_feedback.seen = None\ndef f(s):\n    if s.isdigit():\n        return 1\n    return s\n";
    expect(run(python, "rewritten", inside, ["1"]).runs[0]?.crash).toBe("broken");
  });
});

describe.runIf(MONITORED.length > 0)("[needs: python 3.12] sys.monitoring", () => {
  test.each(MONITORED)("Python %s counts by it, and says so", (_, python) => {
    expect(run(python, "monitored", "def f(s): return s\n", [""]).said).toBe("coverage is counted by sys.monitoring");
    expect(run(python, "rewritten", "def f(s): return s\n", [""]).said).toContain("has no sys.monitoring");
  });

  test.each(MONITORED)("Python %s: the other way of a branch on one line is news, also after the first way was gone many times", (_, python) => {
    const source = "def f(s): return 1 if s.isdigit() else 2\n";
    const { runs } = run(python, "monitored", source, ["a", "b", "c", "d", "1", "2", "a"]);
    expect(runs.map(({ news }) => news)).toEqual([true, false, false, false, true, false, false]);
  });

  test.each(MONITORED)("Python %s finds as much of the same inputs as rewritten sources do, or more", (_, python) => {
    for (const [what, source, inputs] of TARGETS) {
      const news = (means: "monitored" | "rewritten") => run(python, means, source, [...inputs, ...inputs]).runs.map((each) => each.news);
      const [monitored, rewritten] = [news("monitored"), news("rewritten")];
      expect(rewritten.flatMap((is, at) => (is && !monitored[at] ? [`${what}: ${inputs[at % inputs.length]}`] : []))).toEqual([]);
      expect(monitored.slice(inputs.length), what).toEqual(inputs.map(() => false));
    }
  });

  test.each(MONITORED)("Python %s: a fault within the counting is told as such", (_, python) => {
    const source = "import pf_feedback\ndef f(s):\n    if s.isdigit():\n        pf_feedback.seen = None\n        return 1\n    return s\n";
    expect(run(python, "monitored", source, ["1"]).runs[0]?.crash).toBe("broken");
  });
});
