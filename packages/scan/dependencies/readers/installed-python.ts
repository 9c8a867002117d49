import type { Listing, Reading } from "../facts.ts";
import { pythonName } from "../versions/python.ts";

/** NAME-VERSION.dist-info/METADATA and NAME.egg-info/PKG-INFO: what is installed. https://packaging.python.org/en/latest/specifications/core-metadata/ */
export function readMetadata(source: string): Reading {
  const end = source.search(/\r?\n\r?\n/);
  const head = (end < 0 ? source : source.slice(0, end)).slice(0, 65_536);
  const name = /^Name:[ \t]*([A-Za-z0-9][\w.-]{0,200})[ \t]*\r?$/m.exec(head)?.[1];
  const version = /^Version:[ \t]*(\S{1,200})[ \t]*\r?$/m.exec(head)?.[1];
  if (name === undefined || version === undefined)
    return { listings: [], gaps: [{ reason: "syntax_error", detail: "it names no package and version", matters: false }] };
  const packages = [{ ecosystem: "PyPI", name: pythonName(name), version, line: 1 }];
  const listing: Listing = { format: "dist-info", tool: "pip", role: "installed", subject: null, packages, roots: [] };
  return { listings: [listing], gaps: [] };
}

/** NAME-VERSION.dist-info/top_level.txt: the modules that a distribution brings, one a line. */
export function readTopLevel(source: string, path: string): Reading {
  const name = /([^/]+?)-[^/-]+\.dist-info\/top_level\.txt$/.exec(path)?.[1] ?? "";
  const modules = source.split("\n", 200).flatMap((line) => (/^[A-Za-z_]\w{0,100}$/.test(line.trim()) ? [[pythonName(name), line.trim()] as const] : []));
  return { listings: [], modules: name === "" ? [] : modules, gaps: [] };
}
