import { describe, expect, test } from "vitest";
import type { CodeFacts, Outline } from "../outline.ts";
import { reachabilityOf } from "./reach.ts";

type Files = Record<string, Partial<Outline>>;
const codeOf = (files: Files) =>
  new Map(
    Object.entries(files).map(([path, outline]): [string, CodeFacts] => [
      path,
      { outline: { language: path.endsWith(".py") ? "python" : "javascript", imports: [], uses: [], abilities: [], ...outline } },
    ]),
  );
const from = (module: string, names: string[] = [], more: object = {}) => ({ module, names, line: 3, dynamic: false, ...more });
const level = (files: Files, name: string, chain: string[] = [name], functions: string[] = [], ecosystem = "npm", modules: [string, string][] = []) =>
  reachabilityOf(codeOf(files), new Map(modules)).of(ecosystem, name, chain, functions);

describe("how near a weakness is", () => {
  test.each<[string, Files, string]>([
    ["used", { "a.js": { imports: [from("lodash", ["*"])], uses: [{ module: "lodash", member: "template", line: 7 }] } }, "function_used"],
    ["named in the import", { "a.js": { imports: [from("lodash", ["template"])] } }, "function_used"],
    ["a path of the package", { "a.js": { imports: [from("lodash/template", ["default"])] } }, "function_used"],
    ["another function", { "a.js": { imports: [from("lodash", ["*"])], uses: [{ module: "lodash", member: "map", line: 7 }] } }, "imported"],
    ["a function that begins alike", { "a.js": { imports: [from("lodash", ["templateSettings"])] } }, "imported"],
    ["another package", { "a.js": { imports: [from("lodash-es", ["template"])] } }, "installed"],
    ["computed", { "a.js": { imports: [from("", [], { dynamic: true })] } }, "unknown"],
    ["no code seen", {}, "unknown"],
    ["only code of another language", { "a.py": { imports: [from("lodash")] } }, "unknown"],
    ["only what is installed imports it", { "a.js": {}, "node_modules/x/i.js": { imports: [from("lodash", ["template"])] } }, "installed"],
  ])("%s: %s", (_, files, expected) => {
    expect(level(files, "lodash", ["lodash"], ["template"]).level).toBe(expected);
  });

  test("through packages whose sources lie here, it is imported, and the way is told", () => {
    const files = {
      "src/a.js": { imports: [from("@s/top")] },
      "node_modules/@s/top/i.js": { imports: [from("mid/x.js")] },
      "node_modules/mid/x.js": { imports: [from("low")] },
    };
    expect(level(files, "low", ["@s/top", "mid", "low"])).toEqual({
      level: "imported",
      words: "The code imports @s/top, which imports mid, which imports it.",
    });
  });

  test("through a package whose sources are not here, nobody can say; with them here, it is not imported", () => {
    const own = { "src/a.js": { imports: [from("top")] } };
    expect(level(own, "low", ["top", "low"]).level).toBe("unknown");
    expect(level({ ...own, "node_modules/top/i.js": {} }, "low", ["top", "low"]).level).toBe("installed");
  });

  test("Python: by the module's name, which may not be the package's", () => {
    const files = { "app.py": { imports: [from("yaml", ["load"]), from("google.protobuf", ["*"]), from("Foo_Bar.baz")] } };
    const modules: [string, string][] = [
      ["yaml", "pyyaml"],
      ["google.protobuf", "protobuf"],
    ];
    expect(level(files, "PyYAML", ["pyyaml"], ["load"], "PyPI", modules)).toMatchObject({ level: "function_used", words: "load of it is used at app.py:3." });
    expect(level(files, "protobuf", ["protobuf"], [], "PyPI", modules).level).toBe("imported");
    expect(level(files, "foo-bar", ["foo-bar"], [], "PyPI", modules).level).toBe("imported");
    expect(level(files, "requests", ["requests"], [], "PyPI", modules).level).toBe("installed");
    expect(level({ ...files, "venv/lib/site-packages/requests/a.py": {} }, "flask", ["flask"], [], "PyPI", modules).level).toBe("installed");
  });

  test("packages that import each other in a ring end", () => {
    const files = { "a.js": { imports: [from("x")] }, "node_modules/p/i.js": { imports: [from("q")] }, "node_modules/q/i.js": { imports: [from("p")] } };
    expect(level(files, "p", ["p"]).level).toBe("installed");
  });
});
