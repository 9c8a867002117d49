import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { PlastronError } from "@plastron/contracts";

/** How a guest's system calls reach its kernel. `kvm` can hang for ever on a machine that only looks as if it had it: never by default. */
export type Platform = "ptrace" | "systrap" | "kvm";

export interface Runsc {
  /** The binary itself, never a link: it is bound into each sandbox. */
  path: string;
  platform: Platform;
}

export const INSTALL = "apt-get install runsc";

/** The runsc on `path`. Errors: sandbox_failed where there is none. */
export function findRunsc(path: string = process.env.PATH ?? "/usr/bin"): string {
  for (const directory of path.split(delimiter).filter(Boolean)) {
    try {
      const found = realpathSync(join(directory, "runsc"));
      accessSync(found, constants.X_OK);
      return found;
    } catch {}
  }
  throw new PlastronError("sandbox_failed", "runsc is not installed", { hint: INSTALL });
}

/**
 * Flags that hold for every sandbox. The sandbox has no network of any kind, its cgroup is ours already, and of all sockets of
 * the host it can reach one: the door, which is the only one in its mount namespace.
 */
export function runscFlags({ platform }: Pick<Runsc, "platform">): string[] {
  return [
    "--root=/state",
    `--platform=${platform}`,
    "--network=none",
    "--ignore-cgroups",
    "--host-uds=open",
    "--log=/dev/null",
    "--pod-init-config=/bundle/trace.json",
  ];
}
