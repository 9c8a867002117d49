import type { Group, Listing, Reading, ReadingGap, Root } from "../facts.ts";
import { originOf } from "../origin.ts";
import { pythonName } from "../versions/python.ts";
import { isObject, type Json, list, object, text } from "./json.ts";
import { parseRequirement, rootOf } from "./requirement.ts";
import { parseToml } from "./toml.ts";

/** pyproject.toml: PEP 621, dependency groups (PEP 735), Poetry's and PDM's tables. Only what is asked for; what is installed is in a lock file. */
export function readPyproject(source: string): Reading {
  const document = parseToml(source);
  const project = object(document, "project");
  const poetry = object(object(document, "tool"), "poetry");
  const pdm = object(object(document, "tool"), "pdm");
  const uv = object(object(document, "tool"), "uv");
  const line = lineFinder(source);
  const asked = (values: readonly Json[], group: Group) => requirements(values, group, line);
  const grouped = (groups: Json, group: Group) =>
    Object.values(isObject(groups) ? groups : {}).flatMap((each) => asked(Array.isArray(each) ? each : [], group));
  const roots = [
    ...asked(list(project, "dependencies"), "production"),
    ...grouped(object(project, "optional-dependencies"), "optional"),
    ...grouped(object(document, "dependency-groups"), "development"),
    ...grouped(object(pdm, "dev-dependencies"), "development"),
    ...asked(list(uv, "dev-dependencies"), "development"),
    ...poetryRoots(object(poetry, "dependencies"), "production", line),
    ...poetryRoots(object(poetry, "dev-dependencies"), "development", line),
    ...Object.values(object(poetry, "group")).flatMap((group) => poetryRoots(object(group, "dependencies"), "development", line)),
    ...asked(list(object(document, "build-system"), "requires"), "development"),
  ];
  const gaps: ReadingGap[] = list(project, "dynamic").includes("dependencies")
    ? [{ reason: "dynamic", detail: "its dependencies are computed when it is built", matters: false }]
    : [];
  const name = text(project, "name") || text(poetry, "name");
  const subject = name === "" ? null : { name: pythonName(name), version: text(project, "version") || text(poetry, "version") };
  const tool = Object.keys(poetry).length > 0 ? "poetry" : Object.keys(pdm).length > 0 ? "pdm" : Object.keys(uv).length > 0 ? "uv" : "pip";
  const listing: Listing = { format: "pyproject.toml", tool, role: "manifest", subject, packages: [], roots };
  return { listings: [listing], gaps };
}

/** setup.cfg's install_requires and extras_require: requirements, one a line, below their key. */
export function readSetupCfg(source: string): Reading {
  const roots: Root[] = [];
  let section = "";
  let group: Group | null = null;
  for (const [index, raw] of source.split("\n").entries()) {
    const text = raw.trim();
    if (text === "" || text.startsWith("#") || text.startsWith(";")) continue;
    const header = /^\[([^\]]{1,100})\]$/.exec(text)?.[1];
    if (header !== undefined && raw[0] === "[") {
      section = header;
      group = null;
    } else if (!/^\s/.test(raw)) {
      const key = (text.split(/[=:]/, 1)[0] as string).trim();
      group = section === "options" && key === "install_requires" ? "production" : section === "options.extras_require" ? "optional" : null;
      const value = text.slice(key.length).replace(/^\s*[=:]\s*/, "");
      if (group !== null && value !== "") note(value, group, index + 1);
    } else if (group !== null) note(text, group, index + 1);
  }
  function note(text: string, group: Group, line: number): void {
    const requirement = parseRequirement(text);
    if (requirement) roots.push(rootOf(requirement, group, line));
  }
  const listing: Listing = { format: "setup.cfg", tool: "pip", role: "manifest", subject: null, packages: [], roots };
  return { listings: roots.length === 0 ? [] : [listing], gaps: [] };
}

function requirements(values: readonly Json[], group: Group, line: (name: string) => number): Root[] {
  return values.flatMap((value) => {
    const requirement = typeof value === "string" ? parseRequirement(value) : null;
    return requirement ? [rootOf(requirement, group, line(requirement.name))] : [];
  });
}

function poetryRoots(table: { [name: string]: Json }, group: Group, line: (name: string) => number): Root[] {
  return Object.entries(table).flatMap(([name, value]): Root[] => {
    if (name === "python") return [];
    const first = Array.isArray(value) ? value[0] : value;
    const range = typeof first === "string" ? first : text(first, "version");
    const from = text(first, "git") ? originOf(`git+${text(first, "git")}`).origin : text(first, "path") ? "path" : text(first, "url") ? "url" : undefined;
    const optional = isObject(first) && first.optional === true;
    return [
      {
        ecosystem: "PyPI",
        name: pythonName(name),
        range: poetryRange(range),
        group: optional ? "optional" : group,
        target: -1,
        line: line(name),
        ...(from ? { origin: from } : {}),
      },
    ];
  });
}

/** Poetry's `1.2.3` alone means exactly that one. */
function poetryRange(range: string): string {
  const cut = range.slice(0, 200).trim();
  return /^\d[\w.+!-]*$/.test(cut) ? `==${cut}` : cut;
}

/** The first line on which a name stands as a word; a lookup each, over a text that is seldom long. */
export function lineFinder(source: string): (name: string) => number {
  const lines = source.length > 2 ** 20 ? [] : source.split("\n");
  const first = new Map<string, number>();
  for (const [index, line] of lines.entries()) {
    for (const [, word] of line.slice(0, 2000).matchAll(/(?:^|["'\s])([A-Za-z0-9][\w.-]*)/g)) {
      const key = pythonName(word as string);
      if (!first.has(key)) first.set(key, index + 1);
    }
  }
  return (name) => first.get(pythonName(name)) ?? 1;
}
