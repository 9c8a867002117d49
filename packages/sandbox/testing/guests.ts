import { accessSync, readdirSync, readFileSync } from "node:fs";
import { guestsGroup } from "../drivers/gvisor/index.ts";
import { findCgroups } from "../drivers/local/cgroups.ts";

/** Why guests cannot be tested here, as the title of a skipped test says it; null where they can. */
export function guestsNeed(): string | null {
  if (process.geteuid?.() !== 0) return "[needs: root]";
  const found = (process.env.PATH ?? "").split(":").some((directory) => {
    try {
      accessSync(`${directory}/runsc`);
      return true;
    } catch {
      return false;
    }
  });
  return found ? null : "[needs: runsc]";
}

export interface HostProcess {
  pid: number;
  comm: string;
  uid: number;
  noNewPrivileges: boolean;
  capabilities: string;
  userNamespace: number;
}

/** The processes on the host that belong to guests of the agent at `home`, as the host sees them. */
export function guestProcesses(home: string): HostProcess[] {
  const group = guestsGroup(home);
  return readdirSync("/proc").flatMap((name) => {
    try {
      if (!/^\d+$/.test(name) || !readFileSync(`/proc/${name}/cgroup`, "utf8").includes(group)) return [];
      const status = readFileSync(`/proc/${name}/status`, "utf8");
      const field = (key: string) => status.match(new RegExp(`^${key}:\\t(\\S+)`, "m"))?.[1] ?? "";
      const outside = Number(readFileSync(`/proc/${name}/uid_map`, "utf8").trim().split(/\s+/)[1]);
      return [
        {
          pid: Number(name),
          comm: field("Name"),
          uid: Number(field("Uid")),
          noNewPrivileges: field("NoNewPrivs") === "1",
          capabilities: field("CapEff"),
          userNamespace: outside,
        },
      ];
    } catch {
      return []; // it ended while we looked
    }
  });
}

/** Names of the cgroups of guests that are there. */
export function guestCgroups(home: string): string[] {
  return findCgroups(guestsGroup(home)).dirs.flatMap((dir) => {
    try {
      return readdirSync(dir).filter((name) => name.startsWith("box-"));
    } catch {
      return [];
    }
  });
}
