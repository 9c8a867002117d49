import { fstatSync, readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { Failure, usage } from "../failure.ts";
import { startProgress } from "../terminal/progress.ts";
import { line, type Terminal } from "../terminal/terminal.ts";

/** A file of the request (contracts, fileInSchema). */
export interface FileIn {
  path: string;
  content: string;
  encoding: "utf8" | "base64";
  executable: boolean;
}

/** What the server takes: see programSchema in contracts. */
const MAX_STDIN = 16 * 1024 * 1024;
const MAX_FILE = 64 * 1024 * 1024;

/** The text of a program, from a file or standard input. Throws Failure invalid_request. */
export async function readProgram(file: string, terminal: Terminal): Promise<string> {
  const bytes = file === "-" ? await readStdin(terminal, "waiting for the program on standard input") : readLocal(file);
  return decode(bytes, file === "-" ? "standard input" : file, "A program is UTF-8 text.");
}

/**
 * What is piped or redirected to us, for the program. A terminal and /dev/null are nothing. A pipe that nobody closes would wait
 * for ever, so the wait is shown.
 */
export async function readPipedStdin(terminal: Terminal): Promise<string> {
  if (!stdinIsPiped()) return "";
  const bytes = await readStdin(terminal, "waiting for standard input to end (--no-stdin does without)");
  return decode(bytes, "standard input", "Standard input is passed on as UTF-8 text; give binary data as a --file.");
}

/** `--file LOCAL[:PATH]`: the local file is put at PATH of the workspace, else under its own name. */
export function readFiles(given: string[]): FileIn[] {
  return given.map((text) => {
    const { local, path } = splitFile(text);
    const bytes = readLocal(local);
    if (bytes.length > MAX_FILE)
      throw new Failure("payload_too_large", `${local} is larger than ${MAX_FILE / 1024 ** 2} MiB`, { hint: "A sandbox is not for files of this size." });
    const utf8 = asUtf8(bytes);
    const executable = (statSync(local).mode & 0o111) !== 0;
    return utf8 === null ? { path, content: bytes.toString("base64"), encoding: "base64", executable } : { path, content: utf8, encoding: "utf8", executable };
  });
}

/** The last colon divides, unless a file of the whole name is there. */
export function splitFile(text: string): { local: string; path: string } {
  const at = text.lastIndexOf(":");
  if (at <= 0 || statSync(text, { throwIfNoEntry: false })) return { local: text, path: basename(text) };
  const path = text.slice(at + 1);
  if (path === "" || path.startsWith("/") || path.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw usage(`--file ${text} does not name a place inside the workspace`, "PATH is relative and holds no `..`.");
  }
  return { local: text.slice(0, at), path };
}

/** `--env NAME=value`. Which names are allowed is the server's decision. */
export function parseEnv(given: string[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const text of given) {
    const at = text.indexOf("=");
    if (at <= 0) throw usage(`--env ${text} is not NAME=value`);
    env[text.slice(0, at)] = text.slice(at + 1);
  }
  return env;
}

function stdinIsPiped(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isFile() || stat.isSocket();
  } catch {
    return false; // closed
  }
}

async function readStdin(terminal: Terminal, waiting: string): Promise<Buffer> {
  const typed = process.stdin.isTTY === true;
  if (typed && terminal.interactive) line(terminal.err, terminal.paintErr("dim", "type the program; Ctrl-D ends it"));
  const progress = typed ? null : startProgress(terminal, waiting); // a moving line would run into what is typed
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of process.stdin) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_STDIN) throw new Failure("payload_too_large", `standard input is larger than ${MAX_STDIN / 1024 ** 2} MiB`);
    }
  } finally {
    progress?.done();
  }
  return Buffer.concat(chunks);
}

function readLocal(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === "ENOENT" ? "does not exist" : code === "EISDIR" ? "is a directory" : code === "EACCES" ? "may not be read" : `cannot be read: ${message}`;
    throw usage(`${path} ${why}`, code === "EISDIR" ? "Name a file; a directory goes in as an archive." : "Check the path.");
  }
}

function decode(bytes: Buffer, what: string, hint: string): string {
  const text = asUtf8(bytes);
  if (text === null) throw usage(`${what} is not valid UTF-8`, hint);
  return text;
}

function asUtf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
