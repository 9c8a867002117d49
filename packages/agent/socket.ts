import { chmodSync, chownSync, lchownSync, lstatSync, mkdirSync, rmSync } from "node:fs";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { PlastronError } from "@plastron/contracts";

/**
 * Binds `server` to a unix socket that only `owner` can reach: directory 0700 and socket 0600, both of that uid.
 *
 * Threat: the directory may already belong to the server's uid, which could swap the socket for a symbolic link while we,
 * as root, change its owner. So the directory is ours while anything in it is touched, and is given away last.
 * Errors: PlastronError conflict when a living agent answers there; sandbox_failed when the path is not a place for it.
 */
export async function bindPrivately(server: Server, path: string, owner: number): Promise<void> {
  const directory = dirname(path);
  takeDirectory(directory);
  if (await answers(path)) throw new PlastronError("conflict", `An agent is already listening on ${path}`);
  removeStale(path);
  await listen(server, path);
  lchownSync(path, owner, -1 >>> 0);
  chownSync(directory, owner, -1 >>> 0);
}

function takeDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (!lstatSync(directory).isDirectory()) throw new PlastronError("sandbox_failed", `${directory} is not a directory`);
  chownSync(directory, process.geteuid?.() ?? 0, -1 >>> 0);
  chmodSync(directory, 0o700);
}

function removeStale(path: string): void {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (!entry) return;
  if (!entry.isSocket()) throw new PlastronError("sandbox_failed", `${path} exists and is not a socket`);
  rmSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

function listen(server: Server, path: string): Promise<void> {
  // The socket is born 0600; a chmod after bind would leave a moment in which others could connect.
  const before = process.umask(0o177);
  return new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  }).finally(() => process.umask(before));
}
