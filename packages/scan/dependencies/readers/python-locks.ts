import {
  type Group,
  type Listed,
  type Listing,
  MOST_PACKAGES,
  type Need,
  type Origin,
  type Reading,
  type ReadingGap,
  type Root,
  type Tool,
  Unreadable,
} from "../facts.ts";
import { hashesOf, originOf } from "../origin.ts";
import { pythonName } from "../versions/python.ts";
import { get, isObject, type JsonObject, list, object, text } from "./json.ts";
import { parseRequirement } from "./requirement.ts";
import { parseToml, tableLines } from "./toml.ts";

interface Entry {
  readonly entry: JsonObject;
  readonly name: string;
  readonly version: string;
  readonly line: number;
}

/** uv.lock: the project itself is among its packages, as `editable` or `virtual`. */
export function readUvLock(source: string): Reading {
  const { entries, gaps } = tables(source, "package");
  const find = finder(entries);
  const mine = (entry: JsonObject) => ["editable", "virtual"].some((kind) => text(object(entry, "source"), kind) !== "");
  const wishes = (values: readonly unknown[]) =>
    values.filter(isObject).map((value) => ({ target: find(text(value, "name"), text(value, "version")), name: pythonName(text(value, "name")) }));
  const packages = entries.map(({ entry, ...about }): Listed => {
    const optional = Object.values(object(entry, "optional-dependencies")).flatMap((each) => (Array.isArray(each) ? each : []));
    const needs = [...wishes(list(entry, "dependencies")), ...wishes(optional)].flatMap(({ target }): Need[] => (target < 0 ? [] : [[target, ""]]));
    return listed(about, mine(entry) ? [] : needs, mine(entry) ? { origin: "workspace" } : uvOrigin(object(entry, "source")), filesOf(entry));
  });
  const roots = entries
    .filter(({ entry }) => mine(entry))
    .flatMap(({ entry, line }) => {
      const of = (values: readonly unknown[], group: Group) =>
        wishes(values).map(({ name, target }): Root => ({ ecosystem: "PyPI", name, range: "", group, target, line }));
      const groups = (field: string, group: Group) => Object.values(object(entry, field)).flatMap((each) => of(Array.isArray(each) ? each : [], group));
      return [...of(list(entry, "dependencies"), "production"), ...groups("optional-dependencies", "optional"), ...groups("dev-dependencies", "development")];
    });
  return reading(
    "uv.lock",
    "uv",
    packages,
    roots.filter(({ target }) => packages[target]?.origin !== "workspace"),
    gaps,
  );
}

/** poetry.lock: what was asked for is in pyproject.toml. */
export function readPoetryLock(source: string): Reading {
  const { entries, gaps } = tables(source, "package");
  const find = finder(entries);
  const packages = entries.map(({ entry, ...about }): Listed => {
    const needs = Object.entries(object(entry, "dependencies")).flatMap(([name, range]): Need[] => {
      const target = find(name, "");
      return target < 0 ? [] : [[target, typeof range === "string" ? range.slice(0, 200) : text(range, "version").slice(0, 200)]];
    });
    const from = object(entry, "source");
    const kind = text(from, "type");
    const origin =
      kind === "git"
        ? originOf(`git+${text(from, "url")}`)
        : kind === "directory" || kind === "file"
          ? { origin: "path" as const }
          : originOf(kind === "" ? "" : text(from, "url"));
    const groups = list(entry, "groups");
    const development = text(entry, "category") === "dev" || (groups.length > 0 && !groups.includes("main"));
    const group: Group = development ? "development" : get(entry, "optional") === true ? "optional" : "production";
    return { ...listed(about, needs, origin, filesOf(entry)), group };
  });
  return reading("poetry.lock", "poetry", packages, [], gaps);
}

/** pdm.lock: edges are requirements, groups say who asked. */
export function readPdmLock(source: string): Reading {
  const { entries, gaps } = tables(source, "package");
  const find = finder(entries);
  const packages = entries.map(({ entry, ...about }): Listed => {
    const needs = list(entry, "dependencies").flatMap((each): Need[] => {
      const requirement = typeof each === "string" ? parseRequirement(each) : null;
      const target = requirement ? find(requirement.name, "") : -1;
      return requirement && target >= 0 ? [[target, requirement.range]] : [];
    });
    const groups = list(entry, "groups");
    const origin = text(entry, "git") !== "" ? originOf(`git+${text(entry, "git")}`) : text(entry, "path") !== "" ? { origin: "path" as const } : {};
    return { ...listed(about, needs, origin, filesOf(entry)), group: groups.length > 0 && !groups.includes("default") ? "development" : "production" };
  });
  return reading("pdm.lock", "pdm", packages, [], gaps);
}

/** https://packaging.python.org/en/latest/specifications/pylock-toml/ */
export function readPylock(source: string): Reading {
  const { entries, gaps } = tables(source, "packages");
  const find = finder(entries);
  const packages = entries.map(({ entry, ...about }): Listed => {
    const needs = list(entry, "dependencies").flatMap((each): Need[] => {
      const target = find(text(each, "name"), text(each, "version"));
      return target < 0 ? [] : [[target, ""]];
    });
    const vcs = text(object(entry, "vcs"), "url");
    const archive = text(object(entry, "archive"), "url");
    const origin =
      vcs !== ""
        ? originOf(`git+${vcs}`)
        : isObject(get(entry, "directory"))
          ? { origin: "path" as const }
          : archive === ""
            ? {}
            : { ...originOf(archive), origin: "url" as const };
    return listed(about, needs, origin, filesOf(entry));
  });
  return reading("pylock.toml", "pip", packages, [], gaps);
}

function tables(source: string, name: string): { entries: Entry[]; gaps: ReadingGap[] } {
  const document = parseToml(source);
  const all = list(document, name);
  if (all.length === 0 && !Object.hasOwn(document, name) && Object.keys(document).length === 0) throw new Unreadable("syntax_error", "it is empty");
  const lines = tableLines(source, name);
  const gaps =
    all.length > MOST_PACKAGES ? [{ reason: "too_many", detail: `it lists more than ${MOST_PACKAGES} packages; the rest was not read`, matters: true }] : [];
  const kept = all.slice(0, MOST_PACKAGES);
  const entries = kept.flatMap((entry, index): Entry[] =>
    isObject(entry) && text(entry, "name") !== ""
      ? [{ entry, name: pythonName(text(entry, "name")), version: text(entry, "version").slice(0, 200), line: lines[index] ?? 1 }]
      : [],
  );
  return { entries, gaps };
}

/** By name, and by version where one name is there in several. */
function finder(entries: readonly Entry[]): (name: string, version: string) => number {
  const byName = new Map<string, number>();
  const exact = new Map<string, number>();
  for (const [index, { name, version }] of entries.entries()) {
    byName.set(name, index);
    exact.set(`${name}\0${version}`, index);
  }
  return (name, version) => exact.get(`${pythonName(name)}\0${version}`) ?? byName.get(pythonName(name)) ?? -1;
}

type From = { readonly origin?: Origin; readonly host?: string };

function listed({ name, version, line }: Omit<Entry, "entry">, needs: Need[], from: From, hashes: [string, string][]): Listed {
  const fetched = (from.origin ?? "registry") === "registry";
  return {
    ecosystem: "PyPI",
    name,
    version,
    line,
    needs,
    ...from,
    ...(hashes.length > 0 ? { hashes: hashes.slice(0, 4) } : fetched ? { unhashed: true } : {}),
  };
}

function uvOrigin(source: JsonObject): From {
  if (text(source, "git") !== "") return originOf(`git+${text(source, "git")}`);
  if (text(source, "url") !== "") return { ...originOf(text(source, "url")), origin: "url" };
  if (text(source, "path") !== "" || text(source, "directory") !== "") return { origin: "path" };
  return originOf(text(source, "registry"));
}

function filesOf(entry: JsonObject): [string, string][] {
  const files = [get(entry, "sdist"), ...list(entry, "wheels"), ...list(entry, "files"), get(entry, "archive")].filter(isObject);
  return files.slice(0, 8).flatMap((file) => {
    const table = Object.entries(object(file, "hashes")).flatMap(([algorithm, value]) => (typeof value === "string" ? hashesOf(`${algorithm}:${value}`) : []));
    return [...hashesOf(text(file, "hash")), ...table];
  });
}

function reading(format: string, tool: Tool, packages: Listed[], roots: Root[], gaps: readonly ReadingGap[]): Reading {
  const listing: Listing = { format, tool, role: "lock", subject: null, packages, roots };
  return { listings: [listing], gaps };
}
