import { describe, expect, test } from "vitest";
import { fileOf, lookAt } from "../../testing/look.ts";
import { createDependencies } from "../analyser.ts";
import { seedIndex } from "../seed/index.ts";
import { readerOf } from "./choose.ts";

const read = (path: string, text: string) => readerOf(path)?.(text, path) ?? { listings: [], gaps: [] };
const roots = (path: string, text: string) =>
  (read(path, text).listings[0]?.roots ?? []).map(({ name, range, group, line, origin }) => [name, range, group, line, origin ?? ""].join(" ").trim());

const PIPFILE = `[[source]]
url = "https://pypi.example/simple"

[packages]
Django = "==2.2.0"
requests = "*"
flask = {version = ">=1,<2", extras = ["async"]}
mine = {path = ".", editable = true}
fork = {git = "https://git.example/fork.git", ref = "main"}

[dev-packages]
pytest = ">=7"

[docs]
sphinx = "*"

[requires]
python_version = "3.11"
[scripts]
run = "python a.py"
`;

test("Pipfile: versions, tables, addresses and groups of its own", () => {
  expect(roots("Pipfile", PIPFILE)).toEqual([
    "django ==2.2.0 production 5",
    "requests  production 6",
    "flask >=1,<2 production 7",
    "mine  production 8 path",
    "fork  production 9 git",
    "pytest >=7 development 12",
    "sphinx  optional 15",
  ]);
});

test("Pipfile tells what Pipfile.lock does not: who asked", () => {
  const lock = { default: { jinja2: { version: "==2.11.2", hashes: [`sha256:${"a".repeat(64)}`] } }, develop: {} };
  const files = (more: string[]) => [fileOf("Pipfile.lock", JSON.stringify(lock)), ...more.map((text) => fileOf("Pipfile", text))];
  const [known] = lookAt(createDependencies(seedIndex()), files(['[packages]\njinja2 = "*"\n'])).matches;
  expect(known?.package).toMatchObject({ name: "jinja2", direct: true, path: ["jinja2"] });
});

describe("setup.py", () => {
  const setup = (...lines: string[]) => ["from setuptools import setup", ...lines, ""].join("\n");
  test.each<[string, string, string[], string[]]>([
    [
      "literals",
      setup(`setup(name='a', install_requires=['Jinja2==2.11.2', "flask>=1" '  '], extras_require={'dev': ['pytest']})`),
      ["jinja2 ==2.11.2 production 2", "flask >=1 production 2", "pytest  optional 2"],
      [],
    ],
    [
      "names that are bound once",
      setup("REQ = [", "  'a==1.0',", "]", "setup(install_requires=REQ + ['b'], setup_requires=('c',))"),
      ["a ==1.0 production 3", "b  production 5", "c  development 5"],
      [],
    ],
    ["lines of one text", setup("setuptools.setup(install_requires='''", "  a==1", "  b>2", "''')"), ["a ==1 production 2", "b >2 production 2"], []],
    ["a list that grows", setup("REQ = ['a']", "REQ.append(x)", "setup(install_requires=REQ)"), [], ["dynamic"]],
    ["a name that is bound twice", setup("REQ = ['a']", "REQ = f()", "setup(install_requires=REQ)"), [], ["dynamic"]],
    [
      "a file that is read",
      setup("setup(install_requires=open('requirements.txt').read().splitlines(), tests_require=['t==1'])"),
      ["t ==1 development 2"],
      ["dynamic"],
    ],
    ["a text that is put together", setup("setup(install_requires=[f'a=={v}', 'b==1', 'c==%s' % v])"), ["b ==1 production 2"], ["dynamic"]],
    ["keywords from elsewhere", setup("setup(**config)"), [], ["dynamic"]],
    ["no call that can be seen", setup("exec(x)"), [], ["dynamic"]],
    ["nothing asked for", setup("setup(name='a')"), [], []],
    ["a name that means itself", setup("A = A", "setup(install_requires=A)"), [], ["dynamic"]],
  ])("%s", (_, source, expected, gaps) => {
    expect(roots("setup.py", source)).toEqual(expected);
    expect(read("setup.py", source).gaps.map(({ reason }) => reason)).toEqual(gaps);
  });

  test("a module of an application that happens to be called so asks for nothing", () => {
    expect(read("app/setup.py", "def setup(app):\n  setup(install_requires=['x'])\n")).toEqual({ listings: [], gaps: [] });
  });

  test("what is pinned in it is held against advisories", () => {
    const { matches } = lookAt(createDependencies(seedIndex()), [fileOf("setup.py", setup("setup(install_requires=['jinja2==2.11.2'])"))]);
    expect(matches.length).toBeGreaterThan(0);
  });
});

describe("a script that says in a comment what it needs", () => {
  const script = `#!/usr/bin/env -S uv run
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "jinja2==2.11.2",
#   "rich",
# ]
# ///
import jinja2
`;

  test("is read; two such comments are refused, as the standard has it", () => {
    expect(roots("tools/run.py", script)).toEqual(["jinja2 ==2.11.2 production 5", "rich  production 6"]);
    expect(read("a.py", "# a script\nprint(1)\n").listings).toEqual([]);
    expect(() => read("a.py", script + script)).toThrow(/twice/);
    expect(() => read("a.py", "# /// script\n# dependencies = [\n# ///\n")).toThrow(/TOML/);
  });

  test("is answered by its own lock file, and by no project's", () => {
    const lock = (version: string) =>
      `version = 1\n[[package]]\nname = "rich"\nversion = "${version}"\nsource = { registry = "https://pypi.example/simple" }\nsdist = { url = "https://pypi.example/rich.tgz", hash = "sha256:${"a".repeat(64)}" }\n`;
    const open = (...names: string[]) =>
      lookAt(createDependencies(seedIndex()), [fileOf("run.py", script), ...names.map((name) => fileOf(name, lock("13.0.0")))]).gaps.map(
        ({ reason }) => reason,
      );
    expect(open()).toEqual(["declared_only"]);
    expect(open("uv.lock")).toEqual(["declared_only"]);
    expect(open("run.py.lock")).toEqual([]);
  });
});

describe("what only developers need, by each generation of a tool", () => {
  const groups = (path: string, text: string) => read(path, text).listings[0]?.packages.map(({ name, version, group }) => `${name}@${version} ${group}`);
  const hash = `hash = "sha256:${"a".repeat(64)}"`;
  test.each([
    [
      "Poetry 1",
      "poetry.lock",
      `[[package]]\nname = "a"\nversion = "1.0"\ncategory = "main"\n\n[[package]]\nname = "b"\nversion = "2.0"\ncategory = "dev"\n\n[metadata]\nlock-version = "1.1"\n[metadata.files]\na = []\n`,
    ],
    [
      "Poetry 2",
      "poetry.lock",
      `[[package]]\nname = "a"\nversion = "1.0"\ngroups = ["main", "dev"]\nfiles = []\n[[package]]\nname = "b"\nversion = "2.0"\ngroups = ["dev"]\n[metadata]\nlock-version = "2.1"\n`,
    ],
    [
      "PDM",
      "pdm.lock",
      `[metadata]\nlock_version = "4.5.0"\n\n[[package]]\nname = "a"\nversion = "1.0"\ngroups = ["default"]\ndependencies = ["b>=2"]\n\n[[package]]\nname = "b"\nversion = "2.0"\ngroups = ["dev"]\nfiles = [{file = "b.whl", ${hash}}]\n`,
    ],
  ])("%s", (_, path, text) => {
    expect(groups(path, text)).toEqual(["a@1.0 production", "b@2.0 development"]);
  });
});

test.each(["bun.lockb", "app.spdx.yml", "app.spdx.rdf.xml", "conda-lock.yml", "pixi.lock"])("%s is not read, and what to do instead is said", (path) => {
  const { gaps } = lookAt(createDependencies(seedIndex()), [fileOf(path, new Uint8Array([0, 1, 2, 255]))]);
  expect(gaps).toMatchObject([{ reason: "unsupported", matters: true, detail: expect.stringMatching(/writes|lists/) }]);
});
