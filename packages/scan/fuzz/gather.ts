import type { Artifact, ArtifactFile } from "../intake/artifact.ts";
import { decode } from "../intake/classify.ts";
import type { PreparedFile } from "./harness.ts";

/** What a sandbox is given of an artifact. More is left out, and said. */
const LARGEST = 1024 * 1024;
const MOST_BYTES = 8 * 1024 * 1024;
const MOST_FILES = 4000;

export interface Gathered {
  readonly javascript: readonly PreparedFile[];
  readonly python: readonly PreparedFile[];
  /** JSON files that describe tools or operations. */
  readonly descriptions: readonly PreparedFile[];
  readonly notes: readonly string[];
}

export async function gather({ files, read }: Pick<Artifact, "files" | "read">): Promise<Gathered> {
  const javascript: PreparedFile[] = [];
  const python: PreparedFile[] = [];
  const descriptions: PreparedFile[] = [];
  let bytes = 0;
  let left = 0;
  for (const file of files) {
    const list = listOf(file);
    if (list === null) continue;
    if (file.size > LARGEST || bytes + file.size > MOST_BYTES || javascript.length + python.length >= MOST_FILES || !safe(file.path)) {
      left++;
      continue;
    }
    const text = await read(file).then(
      (content) => decode(content, file.encoding),
      () => null,
    );
    if (text === null) continue;
    bytes += file.size;
    const one = { path: file.path, text };
    if (list === "python") python.push(one);
    else javascript.push(one);
    if (list === "json" && DESCRIPTION.test(file.path)) descriptions.push(one);
  }
  const notes = left > 0 ? [`${left} files were left out of fuzzing: too large, too many, or oddly named`] : [];
  return { javascript: javascript.some(({ path }) => /\.[cm]?[jt]s$/.test(path)) ? javascript : [], python, descriptions, notes };
}

const DESCRIPTION = /(^|\/)(openapi|swagger|tools|tools-list|mcp)[\w.-]*\.json$/i;

function listOf({ path, layers, language }: ArtifactFile): "javascript" | "python" | "json" | null {
  if (layers.length > 0) return null;
  if (/\.([cm]?js|[cm]?ts)$/.test(path)) return "javascript";
  if (language === "python" && path.endsWith(".py")) return "python";
  return path.endsWith(".json") ? "json" : null;
}

/** A path that can lie below a directory of the sandbox's. */
function safe(path: string): boolean {
  return path.length < 512 && !path.includes("\0") && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
