import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PlastronError, type RunSpec } from "@plastron/contracts";
import { PROGRAM_FILE } from "./layout.ts";

/** A file on its way in: an open descriptor whose name is already gone from the disk. */
export interface StagedFile {
  path: string;
  fd: number;
  executable: boolean;
}

export interface Staging {
  files: StagedFile[];
  seccomp: number | null;
  close(): void;
}

/** The program and its files, to be written into the workspace. Errors: invalid_request where two of them need one path. */
export function workspaceFiles(spec: Pick<RunSpec, "runtime" | "code" | "files">): { path: string; bytes: Buffer; executable: boolean }[] {
  const program = { path: PROGRAM_FILE[spec.runtime], bytes: Buffer.from(spec.code), executable: false };
  const given = spec.files.map((file) => ({ path: file.path, bytes: Buffer.from(file.content, file.encoding), executable: file.executable }));
  const files = [program, ...given];
  const paths = new Set<string>();
  for (const { path } of files) {
    if (paths.has(path)) throw new PlastronError("invalid_request", `${path} is given twice, or is the name of the program itself`);
    paths.add(path);
  }
  for (const { path } of files) {
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
      if (paths.has(path.slice(0, slash))) throw new PlastronError("invalid_request", `${path.slice(0, slash)} is given as a file and as a directory`);
    }
  }
  return files;
}

/**
 * Turns bytes into descriptors for bubblewrap. The files have no name on disk when this returns, so a killed agent leaves
 * none behind. `close` after the spawn.
 */
export function stage(home: string, files: { path: string; bytes: Buffer; executable: boolean }[], seccomp: string): Staging {
  const directory = mkdtempSync(join(home, "staging-"));
  const open: number[] = [];
  function descriptor(bytes: Buffer): number {
    const name = join(directory, String(open.length));
    writeFileSync(name, bytes, { mode: 0o600 });
    const fd = openSync(name, "r");
    open.push(fd);
    return fd;
  }
  const close = () => open.splice(0).forEach(closeSync);
  try {
    const staged = files.map((file) => ({ path: file.path, executable: file.executable, fd: descriptor(file.bytes) }));
    return { files: staged, seccomp: seccomp === "" ? null : descriptor(Buffer.from(seccomp, "base64")), close };
  } catch (error) {
    close();
    throw error;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
