import type { ArtifactKind } from "@plastron/contracts";
import type { Artifact, ArtifactFile } from "./artifact.ts";
import { decode } from "./classify.ts";

/** A file that says what an artifact is lies at its root, or one directory below where that is all there is. */
const SAYS = /^(?:[^/]+\/)?(SKILL\.md|manifest\.ya?ml|package\.json|pyproject\.toml|requirements\.txt|(?:mcp|tools|tools-list)\.json|server\.json)$/i;
const LARGEST = 2 ** 20;

/** What it is made for, where its files tell: that is more than how it came. */
export async function detectKind(origin: ArtifactKind, { files, read }: Pick<Artifact, "files" | "read">): Promise<ArtifactKind> {
  const telling = files
    .filter(({ layers, path, size }) => layers.length === 0 && SAYS.test(path) && size <= LARGEST)
    .filter(inOneTop(files))
    .slice(0, 20);
  let kind = origin;
  for (const file of telling) {
    const said = kindOf(file, await textOf(file, read));
    if (said === "skill") return "skill";
    if (said !== null && kind === origin) kind = said;
  }
  return kind;
}

function inOneTop(files: readonly ArtifactFile[]): (file: ArtifactFile) => boolean {
  const tops = new Set(files.map(({ path }) => path.split("/", 1)[0]));
  return ({ path }) => !path.includes("/") || tops.size === 1;
}

async function textOf(file: ArtifactFile, read: Artifact["read"]): Promise<string> {
  try {
    return decode(await read(file), file.encoding) ?? "";
  } catch {
    return ""; // it vanished; the scan says so
  }
}

function kindOf({ path }: ArtifactFile, text: string): ArtifactKind | null {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === "SKILL.md") return "skill";
  if (/^manifest\.ya?ml$/i.test(name)) return /^type:\s*["']?(plugin|bundle)\b/m.test(text) && /^(plugins|resource|meta):/m.test(text) ? "dify-plugin" : null;
  if (name === "package.json") return /"@modelcontextprotocol\/sdk"|"(fastmcp|mcp-framework)"\s*:/.test(text) ? "mcp" : null;
  if (/^(pyproject\.toml|requirements\.txt)$/.test(name)) return /(^|["'\s])(mcp|fastmcp)(\[[\w, ]*\])?\s*([<>=~!;"',]|$)/m.test(text) ? "mcp" : null;
  return /"tools"\s*:\s*\[/.test(text) && /"inputSchema"\s*:/.test(text) ? "mcp" : null;
}
