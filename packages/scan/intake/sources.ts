import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { PlastronError } from "@plastron/contracts";

/** What a user may name, parsed. */
export type Source =
  | { readonly type: "directory" | "file" | "repository"; readonly path: string; readonly revision: string }
  | { readonly type: "git"; readonly url: string; readonly revision: string }
  | { readonly type: "npm" | "pypi"; readonly name: string; readonly version: string | null };

const NPM = /^npm:((?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*)(?:@([A-Za-z0-9][A-Za-z0-9.+_-]*))?$/i;
const PYPI = /^pypi:([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:(?:==|@)([A-Za-z0-9][A-Za-z0-9.!+_-]*))?$/;
/** git's own short form of an SSH address: `user@host:path`. */
const SCP = /^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:(?!\/\/)[^\s]+$/;

/**
 * Only names of packages and plain addresses get through: npm and pip take paths, URLs and git addresses in their place, and would build those, which runs
 * what they hold; git takes addresses that are programs (`ext::`).
 */
export function parseSource(text: string): Source {
  if (/^npm:/i.test(text)) return packageOf("npm", NPM.exec(text), "npm:NAME or npm:NAME@VERSION");
  if (/^pypi:/i.test(text)) return packageOf("pypi", PYPI.exec(text), "pypi:NAME or pypi:NAME==VERSION");
  const { address, revision } = splitRevision(text);
  if (/^(https?|ssh|git|git\+https|git\+ssh):\/\/[^-\s][^\s]*$/i.test(address)) return { type: "git", url: address.replace(/^git\+/i, ""), revision };
  if (!existsSync(text) && SCP.test(address)) return { type: "git", url: address, revision };
  if (/^[a-z][a-z0-9+.-]*::?\/\//i.test(text) && !existsSync(text))
    throw refused(`${JSON.stringify(text)} is no address that can be scanned`, "Use https://, ssh:// or git://.");
  return localSource(text);
}

function packageOf(type: "npm" | "pypi", found: RegExpExecArray | null, form: string): Source {
  if (!found) throw refused("that is no name of a package", `Write ${form}.`);
  return { type, name: found[1] as string, version: found[2] ?? null };
}

function splitRevision(text: string): { address: string; revision: string } {
  const hash = text.lastIndexOf("#");
  const revision = hash < 0 ? "" : text.slice(hash + 1);
  return /^[A-Za-z0-9][A-Za-z0-9._/-]*$/.test(revision) ? { address: text.slice(0, hash), revision } : { address: text, revision: "HEAD" };
}

function localSource(text: string): Source {
  const path = resolve(text);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return { type: isBare(path) ? "repository" : "directory", path, revision: "HEAD" };
  if (stat?.isFile()) return { type: "file", path, revision: "" };
  if (stat) throw refused(`${JSON.stringify(text)} is neither a file nor a directory`, "Name a directory, a file, a git URL, npm:NAME or pypi:NAME.");
  const { address, revision } = splitRevision(text);
  if (address !== text && isBare(resolve(address))) return { type: "repository", path: resolve(address), revision };
  throw new PlastronError("not_found", `there is no ${JSON.stringify(text)}`, { hint: "Name a directory, a file, a git URL, npm:NAME or pypi:NAME." });
}

/** A repository without a work tree, as servers keep it. */
function isBare(path: string): boolean {
  return ["HEAD", "objects", "refs"].every((name) => existsSync(join(path, name))) && !existsSync(join(path, ".git"));
}

function refused(why: string, hint: string): PlastronError {
  return new PlastronError("invalid_request", why, { hint });
}
