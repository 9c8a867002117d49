import { randomBytes } from "node:crypto";
import { closeSync, constants, existsSync, linkSync, lstatSync, mkdirSync, openSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.ts";

/** A collected file as the server returns it. Path and content are the untrusted program's. */
export interface Artifact {
  path: string;
  size: number;
  content: string;
  truncated: boolean;
}

/**
 * Writes collected files under `out`, which is made if it does not exist. Returns the paths relative to it.
 *
 * Threat: a program that names a file `../../.bashrc`, or that made yesterday's artefact a link to it. So names are checked here
 * again, every directory on the way must be a real one, a file is written beside and then put in place without following what is
 * there, nothing is ever executable, and an existing file is replaced only when asked.
 */
export function writeArtifacts(artifacts: Artifact[], out: string, overwrite: boolean): string[] {
  for (const artifact of artifacts) requireInside(artifact.path);
  mkdirSync(out, { recursive: true });
  const root = realpathSync(out);
  return artifacts.map((artifact) => {
    const parts = artifact.path.split("/");
    const directory = parts.slice(0, -1).reduce((at, name) => realDirectory(join(at, name), artifact.path), root);
    place(join(directory, parts.at(-1) as string), Buffer.from(artifact.content, "base64"), artifact.path, overwrite);
    return artifact.path;
  });
}

function requireInside(path: string): void {
  const parts = path.split("/");
  const bad = path === "" || path.length > 1024 || /[\0-\x1f\x7f\\]/.test(path) || parts.some((part) => part === "" || part === "." || part === "..");
  if (bad) throw unsafe(JSON.stringify(path), "its name does not stay inside the directory");
}

function realDirectory(path: string, artifact: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) mkdirSync(path);
  else if (!stat.isDirectory()) throw unsafe(artifact, `${path} is not a directory`);
  return path;
}

/** link(2) refuses an existing name and rename(2) replaces it; neither follows it. */
function place(path: string, content: Buffer, artifact: string, overwrite: boolean): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) throw unsafe(artifact, `${path} is a directory`);
  const fresh = `${path}.${randomBytes(6).toString("hex")}.part`;
  const fd = openSync(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o644);
  try {
    writeFileSync(fd, content);
    closeSync(fd);
    if (overwrite) renameSync(fresh, path);
    else linkSync(fresh, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new Failure("conflict", `${path} is there already`, { hint: "Add --overwrite, or choose another --out." });
  } finally {
    if (existsSync(fresh)) rmSync(fresh);
  }
}

function unsafe(artifact: string, why: string): Failure {
  return new Failure("conflict", `the collected file ${artifact} was not written: ${why}`, { hint: "The run's other output stands; choose an empty --out." });
}
