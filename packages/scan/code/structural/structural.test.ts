import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { fileOf } from "../../rules/index.ts";
import { lookAt } from "../../testing/look.ts";
import { createCode } from "../create.ts";
import { lowerJavascript } from "../javascript/lower.ts";
import { lowerPython } from "../python/lower.ts";
import { codeRules } from "../testing/rules.ts";
import { createStructural, readStructuralRules } from "./index.ts";

const root = join(import.meta.dirname, "../../../../rules/code");
const documents = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => parse(readFileSync(join(root, name), "utf8")));
const structural = createStructural(readStructuralRules(documents));
const told = (path: string, text: string) => structural.look(fileOf(path, text)).matches.map(({ rule, place }) => `${rule.slice(5)}:${place.line}`);

describe("shapes in real files", () => {
  test("of a workflow: the line of a block that holds the text, however it is written", () => {
    const workflow = `on:\n  issues:\njobs:\n  a:\n    steps:\n      - name: x\n        run: |\n          set -e\n          echo "\${{ github.event.issue.title }}"\n      - { run: 'echo \${{github.event.comment.body}}' }\n`;
    expect(told(".github/workflows/a.yml", workflow)).toEqual(["workflow/script-injection:9", "workflow/script-injection:10"]);
    expect(told("x/.github/workflows/a.yaml", workflow)).toHaveLength(2);
    expect(told("docs-of/a.yml", workflow)).toEqual([]);
  });

  test.each([
    ["on: pull_request_target"],
    ["on: [push, pull_request_target]"],
    ["on:\n  pull_request_target:\n    types: [opened]"],
    ["on:\n  - pull_request_target"],
  ])("of a workflow: %j is the same event", (on) => {
    const steps = "jobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n";
    expect(told(".github/workflows/a.yml", `${on}\n${steps}`).map((each) => each.split(":")[0])).toEqual(["workflow/untrusted-checkout"]);
    expect(told(".github/workflows/a.yml", `on: pull_request\n${steps}`)).toEqual([]);
  });

  test("of a Dockerfile: continued lines, comments between them, lower case, here-documents", () => {
    expect(told("Dockerfile", "from a:1\nrun true && \\\n  # said of it\n  curl -s https://example.com | \\\n  sh\n")).toEqual(["dockerfile/pipe-to-shell:2"]);
    expect(told("app/Dockerfile.prod", "FROM a:1\nRUN <<EOF\nset -e\ncurl -s https://example.com | bash\nEOF\nUSER app\n")).toEqual([
      "dockerfile/pipe-to-shell:2",
    ]);
    expect(told("Dockerfile", "# RUN curl https://example.com | sh\nFROM a:1\n")).toEqual([]);
  });

  test("of a shell script: what is printed, quoted or commented is not run", () => {
    expect(told("a.sh", "#!/bin/sh\ncurl https://example.com/x | sh\n")).toEqual(["shell/pipe-to-shell:2"]);
    expect(
      told("a.sh", "# curl https://example.com/x | sh\necho 'curl https://example.com/x | sh'\ncat <<EOF\ncurl https://example.com/x | sh\nEOF\n"),
    ).toEqual([]);
  });

  test("are told with columns behind characters of two units", () => {
    const [match] = structural.look(fileOf("a.py", "x = '😀'; y = yaml.load(z)\n")).matches;
    expect(match?.place).toMatchObject({ line: 1, column: 15, end_column: 27 });
  });

  test("are told at the same place whether the whole file is parsed or a statement of it", () => {
    const text = `const a = "😀 postMessage";\n// vm2\nfunction f() {\n  const b = require("vm2");\n}\n${"const c = 1;\n".repeat(50)}/* 😀 */ const d = require("vm2");\n`;
    const statements = lowerJavascript(text, "a.js").module?.statements ?? null;
    expect(statements?.length).toBe(53);
    const spots = (known: typeof statements) => structural.look(fileOf("a.js", text), known).matches.map(({ place: { line, column } }) => [line, column]);
    expect(spots(statements)).toEqual([
      [4, 13],
      [56, 20],
    ]);
    expect(spots(statements)).toEqual(spots(null));
    // What is no statement is not looked at, which shows that statements are what is parsed.
    expect(spots([])).toEqual([]);
  });

  test("are told where a rule's word stands in another statement than the match, if the rule says that it may", () => {
    const text = `import tarfile\n\n\ndef unpack(tar):\n    tar.extractall("/tmp/x")\n${"\nnothing = 1\n".repeat(50)}`;
    const statements = lowerPython(text, "a.py").module?.statements ?? null;
    expect(structural.look(fileOf("a.py", text), statements).matches.map(({ rule, place }) => [rule, place.line])).toEqual([
      ["code/python/unfiltered-archive", 5],
    ]);
  });

  test.each([["yaml.load(z)\nx = (\n"], ["def f(:\n    yaml.load(z)\n"]])("of a file that is broken are looked for in the whole: %j", (text) => {
    expect(lowerPython(text, "a.py").module?.statements ?? null).toBeNull();
    expect(told("a.py", text).map((each) => each.split(":")[0])).toEqual(["python/yaml-objects"]);
  });

  test("are not told of tests, and of programs there once it is seen that they run", () => {
    expect(told("tests/Dockerfile", "FROM debian\nRUN curl https://a.example/x.sh | sh\n")).toEqual([]);
    expect(told("tests/test_a.py", "y = yaml.load(z)\n")).toEqual(["python/yaml-objects:1"]);
    const rules = createCode(codeRules());
    expect(lookAt(rules, [fileOf("tests/test_a.py", "y = yaml.load(z)\n")]).matches).toEqual([]);
    expect(lookAt(rules, [fileOf("a.py", "import tests.test_a\n"), fileOf("tests/test_a.py", "y = yaml.load(z)\n")]).matches).toHaveLength(1);
  });

  test("beyond a hundred of one rule are a gap", () => {
    const { matches, gaps } = structural.look(fileOf("a.py", "y = yaml.load(z)\n".repeat(150)));
    expect([matches.length, gaps]).toEqual([100, [expect.objectContaining({ reason: "too_many", matters: true })]]);
    expect(structural.look(fileOf("a.py", "y = yaml.load(z)\n".repeat(100))).gaps).toEqual([]);
  });

  test("in more instructions than are read are a gap", () => {
    const { gaps } = structural.look(fileOf("Dockerfile", `FROM debian\n${"LABEL a=b\n".repeat(6000)}RUN curl https://a.example/x.sh | sh\n`));
    expect(gaps).toEqual([expect.objectContaining({ reason: "too_many", matters: true })]);
  });
});

describe("hostile files", () => {
  test.each<[string, string]>([
    ["a.py", `yaml.load${"(".repeat(100_000)}`],
    ["a.js", `webPreferences: contextIsolation ${"[{(".repeat(50_000)}`],
    ["a.sh", `curl ${"$(".repeat(50_000)}`],
    ["a.sh", `curl wget ${"'\"`|".repeat(50_000)}`],
    ["Dockerfile", `FROM a\nRUN ${"curl ".repeat(200_000)}`],
    ["Dockerfile", `RUN a \\\n${"# b\n".repeat(100_000)}`],
    ["Dockerfile", `${"RUN <<A\n".repeat(20_000)}`],
    ["Dockerfile", "a".repeat(5_000_000)],
    [".github/workflows/a.yml", `uses: ${"[".repeat(50_000)}`],
    [".github/workflows/a.yml", `uses: &a [*a, *a]\njobs: {a: {steps: [{uses: ${"a".repeat(100_000)}}]}}`],
    [".github/workflows/a.yml", `on: x\njobs:\n  a:\n    steps:\n      - run: |\n${`          \${{ ${"github.event.".repeat(20)}\n`.repeat(500)}`],
  ])("%s takes bounded time: %#", (path, text) => {
    const start = process.cpuUsage();
    structural.look(fileOf(path, text));
    expect(process.cpuUsage(start).user / 1_000_000).toBeLessThan(6);
  });
});
