import { describe, expect, test } from "vitest";
import type { Expression, Fn, Module, Statement } from "../ir.ts";
import { lowerPython } from "./lower.ts";

const lower = (text: string): Module => {
  const { module, gaps } = lowerPython(text, "a.py");
  expect(gaps).toEqual([]);
  return module as Module;
};
const body = (text: string): readonly Statement[] => (lower(text).functions[0] as Fn).body;
const lastValue = (text: string): Expression => (body(`_ = ${text}`).at(-1) as { value: { value: Expression } }).value.value;
/** A tree without its places. */
const bare = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (key, each) => (key === "at" || key === "end" ? undefined : each)));
const global = (name: string) => ({ kind: "global", name });
const constant = (value: unknown) => ({ kind: "constant", value });

describe("an expression", () => {
  test.each<[string, unknown]>([
    ["'a' \"b\"", constant("ab")],
    ["b'\\x41\\n'", constant("A\n")],
    ["r'\\n'", constant("\\n")],
    ["-1", constant(-1)],
    ["0x1F", constant(31)],
    ["1_0.", constant(10)],
    ["None", constant(null)],
    ["a.b", { kind: "member", object: global("a"), name: "b", computed: null }],
    ["a['b']", { kind: "member", object: global("a"), name: "b", computed: null }],
    ["a[0]", { kind: "member", object: global("a"), name: "0", computed: null }],
    ["a[b]", { kind: "member", object: global("a"), name: null, computed: global("b") }],
    ["a + b + c", { kind: "concat", form: "plus", parts: [global("a"), global("b"), global("c")] }],
    ["f'{c}' % (a, b)", { kind: "concat", form: "format", parts: [{ kind: "concat", form: "template", parts: [global("c")] }, global("a"), global("b")] }],
    [
      "'x%s/%d%%' % (a, b)",
      { kind: "concat", form: "format", parts: [constant("x"), global("a"), constant("/"), { kind: "opaque", parts: [global("b")] }, constant("%")] },
    ],
    [
      "'{}{{}}{k:>5}'.format(a, k=b)",
      {
        kind: "concat",
        form: "format",
        parts: [constant(""), global("a"), constant(""), constant("{"), constant(""), constant("}"), constant(""), global("b"), constant("")],
      },
    ],
    ["'%(x)s' % {'x': a}", { kind: "concat", form: "format", parts: [constant(""), global("a"), constant("")] }],
    ["5 % a", { kind: "opaque", parts: [constant(5), global("a")] }],
    ["a / b", { kind: "concat", form: "plus", parts: [global("a"), constant("/"), global("b")] }],
    ["f'x{a}{{y}}{b!r:>5}'", { kind: "concat", form: "template", parts: [constant("x"), global("a"), constant("{y}"), global("b")] }],
    ["f'{n:d}'", { kind: "concat", form: "template", parts: [{ kind: "opaque", parts: [global("n")] }] }],
    ["f'a' 'b'", { kind: "concat", form: "template", parts: [constant("a"), constant("b")] }],
    ["a if b else c", { kind: "conditional", test: global("b"), value: global("a"), otherwise: global("c") }],
    ["a not in b", { kind: "compare", op: "not-in", left: global("a"), right: global("b") }],
    ["a is not b", { kind: "compare", op: "unequal", left: global("a"), right: global("b") }],
    ["not a", { kind: "not", value: global("a") }],
    ["__import__('os')", { kind: "import", module: "os", computed: null }],
    ["importlib.import_module(x)", { kind: "import", module: null, computed: global("x") }],
    [
      "(a, *b)",
      {
        kind: "array",
        items: [
          { value: global("a"), kind: "plain", name: null },
          { value: global("b"), kind: "spread", name: null },
        ],
      },
    ],
    [
      "{**a, 'b': c, d: e}",
      {
        kind: "object",
        properties: [
          { name: null, computed: null, value: global("a") },
          { name: "b", computed: null, value: global("c") },
          { name: null, computed: global("d"), value: global("e") },
        ],
      },
    ],
  ])("%s", (text, tree) => expect(bare(lastValue(text))).toEqual(tree));

  test("f(a, *b, k=c, **d) tells its arguments apart", () => {
    const call = lastValue("f(a, *b, k=c, **d)") as unknown as { arguments: { kind: string; name: string | null }[] };
    expect(call.arguments.map(({ kind, name }) => [kind, name])).toEqual([
      ["plain", null],
      ["spread", null],
      ["plain", "k"],
      ["keywords", null],
    ]);
  });

  test.each(["[i for i in a if c]", "f(i for i in a if c)", "{i for i in a if c}", "{k: i for i in a if c}"])("%s binds a name of its own", (text) => {
    const { functions, variables } = lower(`i = 1\n${text}\n`);
    const found = JSON.stringify((functions[0] as Fn).body.at(-1)).match(/"kind":"each","target":\{"kind":"variable","id":(\d+)/);
    expect(variables[Number(found?.[1])]?.name).toBe("i");
    expect(found?.[1]).not.toBe("0");
  });

  test("hundreds of terms are one sum, and hundreds of conditions no deep tree", () => {
    expect((lastValue(Array(400).fill("a").join(" + ")) as unknown as { parts: unknown[] }).parts).toHaveLength(400);
    expect(
      JSON.stringify(lastValue(Array(250).fill("a").join(" and ")))
        .match(/\}+/g)
        ?.every((close) => close.length < 30),
    ).toBe(true);
  });
});

describe("names", () => {
  test("are local to their function where it binds them anywhere, and the module's where it says so", () => {
    const { functions, variables } = lower("x = 1\ndef f():\n  print(x)\n  x = 2\ndef g():\n  global x\n  x = 3\ndef h():\n  return x\n");
    const used = (id: number) => [...JSON.stringify((functions[id] as Fn).body).matchAll(/"variable","id":(\d+)/g)].map(([, id]) => Number(id));
    expect(variables.filter(({ name }) => name === "x")).toEqual([
      { name: "x", owner: 0, shared: true },
      { name: "x", owner: 1, shared: false },
    ]);
    expect(new Set(used(1))).not.toEqual(new Set(used(2)));
    expect(used(2)).toEqual(used(3));
  });

  test("of a class are seen in its body and not from its methods", () => {
    const { functions, classes, variables } = lower("class A:\n  x = 1\n  y = x\n  def m(self):\n    return x\n");
    expect(bare((functions[1] as Fn).body)).toEqual([{ kind: "return", value: global("x") }]);
    expect(classes[0]?.fields.map(({ name }) => name)).toEqual(["x", "y"]);
    expect(variables.map(({ name }) => name)).not.toContain("x");
  });

  test("called __proto__ and constructor are names like others", () => {
    const { classes } = lower("class __proto__:\n  constructor = 1\n  def __proto__(self): pass\n  def __init__(self): pass\n");
    expect(classes[0]?.methods.map(({ name }) => name)).toEqual(["__proto__", "constructor"]);
  });
});

describe("functions and classes", () => {
  test("self is no parameter, in closures of a method either; a static method has all of its own", () => {
    const { functions } = lower(
      "class A:\n  def m(self, a):\n    return lambda: self.x\n  @staticmethod\n  def s(a): pass\n  @classmethod\n  def c(cls, a): return cls\n",
    );
    const named = (name: string) => functions.find((each) => each.name === name) as Fn;
    expect(["m", "s", "c"].map((name) => named(name).parameters.map(({ name }) => name))).toEqual([["a"], ["a"], ["a"]]);
    expect(bare(named("c").body)).toEqual([{ kind: "return", value: { kind: "this" } }]);
    const lambda = functions.find(({ name, id }) => name === "" && id > 0) as Fn;
    expect(lambda.owner).toBe(0);
    expect(bare(lambda.body)).toEqual([{ kind: "return", value: { kind: "member", object: { kind: "this" }, name: "x", computed: null } }]);
  });

  test.each([
    ["a: Request", global("Request")],
    ["a: Request | None", global("Request")],
    ["a: Optional[Request] = None", global("Request")],
    ["a: 'web.Request'", { kind: "member", object: global("web"), name: "Request", computed: null }],
    ["a: Annotated[str, Query()]", { kind: "call", callee: global("Query"), arguments: [], construct: false }],
    ["a: list[int]", global("list")],
    ["a", null],
  ])("of the parameter %s the type that matters is kept", (text, type) => {
    expect(bare(lower(`def f(${text}): pass\n`).functions[1]?.parameters[0]?.type)).toEqual(type);
  });

  test("decorators are calls or references; a generator says so", () => {
    const [, fn] = lower("@app.route('/x', methods=['GET'])\n@login\ndef f(): yield 1\n").functions;
    expect(fn?.decorators.map(({ kind }) => kind)).toEqual(["call", "global"]);
    expect(fn?.generator).toBe(true);
  });
});

describe("statements", () => {
  test("imports bind what Python binds", () => {
    const { functions, variables } = lower("import a.b.c\nimport d.e as f\nfrom .g import h as i, j\nfrom . import k\nfrom l import *\n");
    const shown = (functions[0] as Fn).body.map((each) => {
      if (each.kind === "import") return [each.module, each.bindings.map(({ member, variable }) => `${variables[variable]?.name}=${member}`).join()];
      return [each.kind, (each as { module: string }).module];
    });
    expect(shown).toEqual([
      ["a", "a=null"],
      ["a.b.c", ""],
      ["d.e", "f=null"],
      [".g", "i=h,j=j"],
      [".", "k=k"],
      ["export-all", "l"],
    ]);
  });

  test.each<[string, string[]]>([
    ["a = b = c", ["expression"]],
    ["x: int", []],
    ["'''said of it'''", []],
    ["if a: b\nelif c: d\nelse: e", ["if"]],
    ["for a, *b in c: pass\nelse: d", ["loop", "expression"]],
    ["while a: break", ["loop"]],
    ["with a as b, c(): d", ["block"]],
    ["with (a as b, c as d): e", ["block"]],
    ["with a as (b, c): d", ["block"]],
    ["try: a\nexcept (B, C) as d: e\nexcept F: g\nelse: h\nfinally: i", ["try"]],
    ["try: a\nexcept* B: c", ["try"]],
    ["assert a, b", ["if"]],
    ["raise A(b) from c", ["throw"]],
    ["match a:\n  case {'b': c} if d: e\n  case A.B(): f\n  case 1 | 2: g\n  case _: h", ["expression", "switch"]],
    ["with (\n  a() as b,\n  c() as d,\n): e", ["block"]],
    ["match a:\n  case {'b': str() | int() as c} if not d: e", ["expression", "switch"]],
    ["x = [b for *_, b in c]", ["expression"]],
    ["a; b", ["expression", "expression"]],
    ["\fa", ["expression"]],
    ["\ufeffa", ["expression"]],
    ["async def f():\n  async with a as b: pass\n  async for c in d: await e", ["function"]],
    ["del a[b], c", ["expression"]],
    ["x = yield", ["expression"]],
    ["x = 1. / 2.e5 + 3.j", ["expression"]],
  ])("%s", (text, kinds) => expect(body(text).map(({ kind }) => kind)).toEqual(kinds));

  test("of a match each case binds parts of the subject, and a shape asks for no value", () => {
    const [, statement] = body("match s:\n  case {'b': c}: f(c)\n  case 'x' | 'y': pass\n  case z: pass\n") as [
      Statement,
      Extract<Statement, { kind: "switch" }>,
    ];
    expect(bare(statement.cases.map(({ tests }) => tests))).toEqual([[{ kind: "opaque", parts: [] }], [constant("x"), constant("y")], []]);
    expect(bare(statement.cases[0]?.body[0])).toMatchObject({ value: { kind: "assign", target: { kind: "object", properties: [{ name: "b" }] } } });
  });
});

describe("what is not Python as we know it", () => {
  const reasons = (text: string) => lowerPython(text, "a.py").gaps.map(({ reason }) => reason);

  test.each([
    ['print "x"', "python2"],
    ["try: pass\nexcept A, e: print 'x'", "python2"],
    ["print >>f, 'x'", "python2"],
    ["def f(:\n  pass", "syntax_error"],
    ["{% if x %}", "syntax_error"],
    [`x = ${"(".repeat(1000)}`, "syntax_error"],
  ])("%s is told by name", (text, reason) => expect(reasons(text)[0]).toBe(reason));

  test("what Python takes is no error: many statements after a long one, and names of several lines after `as`", () => {
    const long = `L = [\n${'    ("a", f("b")),\n'.repeat(200)}]\n`;
    const settings = Array.from({ length: 600 }, (_, i) => `# What ${i} is.\nA${i} = ${i}\n\n`).join("");
    expect(reasons(long + settings)).toEqual([]);
    expect(reasons("async def f():\n    async with g() as (\n        a,\n        b,\n    ):\n        c = a\n")).toEqual([]);
  });

  test("the rest of the file is looked at all the same", () => {
    const { module } = lowerPython("def f(:\n  pass\n\nos.system(x)\n", "a.py");
    expect(JSON.stringify(module)).toContain('"name":"system"');
  });

  test("what lies too deep is left out, by name", () => {
    expect(reasons(`x = ${"[".repeat(900)}${"]".repeat(900)}`)).toContain("depth");
    expect(reasons(`x${".a".repeat(5000)}`)).toContain("depth");
  });

  test.each<[string, string]>([
    ["a long line", "x=1;".repeat(60_000)],
    ["many targets", `${"a=".repeat(20_000)}1`],
    ["many handlers", `try:\n a\n${"except A as b:\n c\n".repeat(5000)}`],
    ["many branches", `if a: b\n${"elif c: d\n".repeat(10_000)}`],
    ["unclosed brackets", `x = ${"(".repeat(50_000)}`],
    ["junk", "\x01$?!".repeat(20_000)],
    ["colons", "a:".repeat(20_000)],
    ["one string", `x='${"a".repeat(5_000_000)}'`],
    ["nested formats", `f'${"{a:".repeat(10_000)}`],
  ])("%s takes bounded time and no deep tree", (_, text) => {
    const start = process.cpuUsage();
    JSON.stringify(lowerPython(text, "a.py"));
    const { user } = process.cpuUsage(start);
    expect(user / 1_000_000).toBeLessThan(8);
  });
});
