import type { Listed, Listing, Need, Reading, Root, Tool } from "../facts.ts";
import { hashesOf, originOf } from "../origin.ts";
import { type Json, list, object, parseJson, refuseConflict, text } from "./json.ts";
import { parseToml, tableLines } from "./toml.ts";

/** Cargo.lock: the workspace's own crates are those without a source. A dependency is `name`, or `name version` where there are several. */
export function readCargoLock(source: string): Reading {
  const entries = list(parseToml(source), "package");
  const lines = tableLines(source, "package");
  const indexes = new Map<string, number>();
  for (const [index, each] of entries.entries()) {
    indexes.set(text(each, "name"), index);
    indexes.set(`${text(each, "name")} ${text(each, "version")}`, index);
  }
  const needsOf = (each: Json) =>
    list(each, "dependencies").flatMap((wanted): Need[] => {
      const target = typeof wanted === "string" ? (indexes.get(wanted.replace(/ \(.*$/, "")) ?? -1) : -1;
      return target < 0 ? [] : [[target, ""]];
    });
  const packages = entries.map((each, index): Listed => {
    const from = text(each, "source");
    const origin = from === "" ? { origin: "workspace" as const } : from.startsWith("git+") ? originOf(from) : {};
    const hashes = hashesOf(`sha256:${text(each, "checksum")}`);
    return {
      ...{ ecosystem: "crates.io", name: text(each, "name"), version: text(each, "version"), line: lines[index] ?? 1, needs: needsOf(each), ...origin },
      ...(hashes.length > 0 ? { hashes } : {}),
    };
  });
  const roots = packages.flatMap((each) => (each.origin !== "workspace" ? [] : (each.needs ?? []).map(([target]) => rootTo(packages, target, each.line))));
  return reading(
    "Cargo.lock",
    "cargo",
    packages,
    roots.filter(({ target }) => packages[target]?.origin !== "workspace"),
  );
}

/** composer.lock: `packages` and `packages-dev`. */
export function readComposerLock(source: string): Reading {
  const document = parseJson(source);
  const entries = [
    ...list(document, "packages").map((each) => ({ each, group: "production" as const })),
    ...list(document, "packages-dev").map((each) => ({ each, group: "development" as const })),
  ];
  const indexes = new Map(entries.map(({ each }, index) => [text(each, "name").toLowerCase(), index]));
  const packages = entries.map(({ each, group }): Listed => {
    const needs = Object.entries(object(each, "require")).flatMap(([name, range]): Need[] => {
      const target = indexes.get(name.toLowerCase());
      return target === undefined ? [] : [[target, typeof range === "string" ? range.slice(0, 200) : ""]];
    });
    return { ecosystem: "Packagist", name: text(each, "name").toLowerCase(), version: text(each, "version").replace(/^v/, ""), line: 1, needs, group };
  });
  return reading("composer.lock", "composer", packages, []);
}

/** go.mod: since Go 1.17 it names every module that is built in; `// indirect` are those that others need. */
export function readGoMod(source: string): Reading {
  refuseConflict(source);
  const packages: Listed[] = [];
  const roots: Root[] = [];
  let inside = false;
  for (const [index, raw] of source.split("\n").entries()) {
    const line = raw.slice(0, 1000).trim();
    if (/^require\s*\($/.test(line)) inside = true;
    else if (line === ")") inside = false;
    const [, name, version] = /^(?:require\s+)?([^\s()"]+\.[^\s()"]+)\s+(v\d[^\s]*)/.exec(inside || line.startsWith("require ") ? line : "") ?? [];
    const toolchain = /^go\s+(\d+\.\d+(?:\.\d+|rc\d+)?)$/.exec(line)?.[1];
    if (toolchain?.split(".").length === 3) packages.push({ ecosystem: "Go", name: "stdlib", version: toolchain, line: index + 1 });
    if (!name || !version) continue;
    if (!/\/\/\s*indirect/.test(line)) roots.push({ ecosystem: "Go", name, range: version, group: "production", target: packages.length, line: index + 1 });
    packages.push({ ecosystem: "Go", name, version, line: index + 1 });
  }
  return reading("go.mod", "go", packages, roots);
}

/** Gemfile.lock: `specs:` by indentation, four for a gem, six for what it needs; DEPENDENCIES are what was asked for. */
export function readGemfileLock(source: string): Reading {
  refuseConflict(source);
  const packages: (Listed & { needs: Need[] })[] = [];
  const wanted: { from: number; name: string; range: string }[] = [];
  const roots: Omit<Root, "target">[] = [];
  let section = "";
  for (const [index, raw] of source.split("\n").entries()) {
    const line = raw.slice(0, 1000).trimEnd();
    if (/^[A-Z]/.test(line)) section = line;
    const [, indent = "", name = "", inner = ""] = /^( {2}| {4}| {6})([\w.-]+)!?(?: \(([^)]*)\))?!?$/.exec(line) ?? [];
    if (name === "") continue;
    if (indent.length === 4 && inner !== "") {
      const version = inner.replace(/-(x86|x64|java|arm|aarch|universal|mingw|mswin).*$/, "");
      packages.push({
        ecosystem: "RubyGems",
        name,
        version,
        line: index + 1,
        needs: [],
        ...(section === "GIT" ? { origin: "git" as const } : section === "PATH" ? { origin: "path" as const } : {}),
      });
    } else if (indent.length === 6) wanted.push({ from: packages.length - 1, name, range: inner });
    else if (indent.length === 2 && section === "DEPENDENCIES") roots.push({ ecosystem: "RubyGems", name, range: inner, group: "production", line: index + 1 });
  }
  const indexes = new Map(packages.map(({ name }, index) => [name, index]));
  for (const { from, name, range } of wanted) {
    const target = indexes.get(name);
    if (target !== undefined) packages[from]?.needs.push([target, range]);
  }
  return reading(
    "Gemfile.lock",
    "bundler",
    packages,
    roots.map((root) => ({ ...root, target: indexes.get(root.name) ?? -1 })),
  );
}

/** gradle.lockfile: `group:artifact:version=configurations`. */
export function readGradleLock(source: string): Reading {
  refuseConflict(source);
  const packages = source.split("\n").flatMap((raw, index): Listed[] => {
    const [, name, version, configurations = ""] = /^([\w.-]{1,200}:[\w.-]{1,200}):([^\s=:]{1,100})=(.{0,2000})$/.exec(raw.trim()) ?? [];
    if (!name || !version) return [];
    const tests = configurations.split(",").every((each) => /^test/i.test(each));
    return [{ ecosystem: "Maven", name, version, line: index + 1, group: tests ? "development" : "production" }];
  });
  return reading("gradle.lockfile", "gradle", packages, []);
}

function rootTo(packages: readonly Listed[], target: number, line: number): Root {
  return { ecosystem: packages[target]?.ecosystem ?? "", name: packages[target]?.name ?? "", range: "", group: "production", target, line };
}

function reading(format: string, tool: Tool, packages: Listed[], roots: Root[]): Reading {
  const listing: Listing = { format, tool, role: "lock", subject: null, packages, roots };
  return { listings: [listing], gaps: [] };
}
