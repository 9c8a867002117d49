import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GuestFile } from "./archive.ts";
import { type Attempt, FRESH, PREPARE } from "./attempts.ts";

/** Builds with `compile`, which is given a directory, and reads the named results. */
export function built(compile: (directory: string) => void, ...names: string[]): Buffer[] {
  const directory = mkdtempSync(join(tmpdir(), "plastron-build-"));
  try {
    compile(directory);
    return names.map((name) => readFileSync(join(directory, name)));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export function probeFiles(): GuestFile[] {
  const source = join(import.meta.dirname, "probe.c");
  const [probe] = built((to) => execFileSync("cc", ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-static", "-o", join(to, "probe"), source]), "probe");
  return [{ path: "/bin/probe", content: probe }, ...FRESH];
}

/**
 * Shell that tries each attempt and its control in each group. `enter GROUP COMMAND`, which the test defines, runs a command
 * under that group's rules. Between groups everything is made anew.
 */
export function battery(groups: readonly string[], attempts: readonly Attempt[]): string {
  const tried = attempts.flatMap(({ attempt, control }, i) => [`try ${i} ${quoted(attempt)}`, ...(control ? [`try ${i}c ${quoted(control)}`] : [])]);
  return `
echo '0 0' >/proc/sys/net/ipv4/ping_group_range
rm /bin/wget /bin/ping
probe listen /run/docker.sock &
probe listen /run/other.sock &
try() {
  (enter $group "$2") >/dev/null 2>/tmp/why </dev/null
  status=$?
  why=
  read -r why </tmp/why
  echo "@@tried $group $1 $status $why"
}
for group in ${groups.join(" ")}; do
${PREPARE}
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc 2>/dev/null || mount -t tmpfs none /proc/sys/fs/binfmt_misc
${tried.join("\n")}
umount /proc/sys/fs/binfmt_misc 2>/dev/null
done
`;
}

export interface Tried {
  status: number;
  why: string;
}

/** `group attempt` → how it ended; the control of attempt 3 is `3c`. */
export function triedIn(console: string): Map<string, Tried> {
  const found = console.matchAll(/@@tried (\S+) (\d+c?) (\d+) ?(.*)\n/g);
  return new Map([...found].map(([, group, which, status, why]) => [`${group} ${which}`, { status: Number(status), why: why ?? "" }]));
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
