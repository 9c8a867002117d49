/**
 * A Linux guest under pure software emulation, for what this machine's own kernel cannot load: Debian's cloud kernel with AppArmor
 * and the BPF LSM, and a root made in memory from files of this machine. It has no disk and no network but loopback; it is up in
 * about two seconds, runs one script, prints to its serial line and powers off.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GuestFile, initramfs } from "./archive.ts";

const TOOLS = join(import.meta.dirname, "../../.tools/guest");
const BUSYBOX = ["/bin/busybox", "/usr/bin/busybox"].find((path) => existsSync(path));
const QEMU = ["/usr/bin/qemu-system-x86_64", "/usr/local/bin/qemu-system-x86_64"].find((path) => existsSync(path));

/** Bytes that a guest may print: more is a loop, and would fill this machine's memory. */
const MAX_CONSOLE = 4 << 20;

/** Puts `[needs: …]` into the title of a test that this machine cannot run; empty where it can. `clang` is what a test needs besides. */
export function lacking(...besides: string[]): string {
  const absent = [
    QEMU && kernel() && BUSYBOX ? [] : ["qemu guest"],
    ...besides.map((tool) => (existsSync(tool) || existsSync(join(TOOLS, tool)) ? [] : [tool.split("/").at(-1)])),
  ].flat();
  return absent.length > 0 ? ` [needs: ${absent.join(", ")}]` : "";
}

/** A file that set-up keeps beside the kernel (setup/guest.sh). */
export const guestTool = (name: string): string => join(TOOLS, name);

export interface Booted {
  /** All that came over the serial line. */
  console: string;
  /** What each step printed, and its exit status. */
  steps: Map<string, { output: string; status: number }>;
  ms: number;
}

/**
 * Boots, runs `script` with busybox's shell as root, powers off. The script calls `step NAME COMMAND…` for what a test looks at.
 * Throws where the guest does not end by itself within `timeoutMs`, when it is killed, and where not all came that it printed.
 * Nothing stays behind.
 */
export async function boot(script: string, files: readonly GuestFile[] = [], timeoutMs = 25_000): Promise<Booted> {
  const directory = mkdtempSync(join(tmpdir(), "plastron-guest-"));
  const began = performance.now();
  try {
    const image = join(directory, "initramfs");
    writeFileSync(image, initramfs([...BASE(), ...files, { path: "/test.sh", content: script }]));
    const text = await run(image, timeoutMs);
    return { console: text, steps: stepsOf(text), ms: performance.now() - began };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A step's output and status; throws with the whole console where the guest never came to it. */
export function stepOf(booted: Booted, name: string): { output: string; status: number } {
  const step = booted.steps.get(name);
  if (!step) throw new Error(`the guest never came to step ${name}:\n${booted.console}`);
  return step;
}

const COMMAND_LINE = [
  "console=ttyS0 quiet loglevel=3 panic=-1 rdinit=/init",
  // Emulated timers are too coarse to calibrate against; without a given frequency the boot hangs now and then.
  "tsc_early_khz=2000000",
  "lsm=landlock,lockdown,yama,apparmor,bpf apparmor=1",
].join(" ");

function run(image: string, timeoutMs: number): Promise<string> {
  // -cpu max: the kernel needs nothing of it, but static programs of a newer Debian may.
  const machine = ["-machine", "q35,accel=tcg", "-cpu", "max", "-m", "320", "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio"];
  const args = [...machine, "-kernel", kernel() as string, "-initrd", image, "-append", COMMAND_LINE];
  return new Promise((resolve, reject) => {
    const child = spawn(QEMU as string, args, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    let trouble = "";
    const timer = setTimeout(() => {
      trouble = `the guest did not end within ${timeoutMs} ms`;
      child.kill("SIGKILL");
    }, timeoutMs);
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text.length <= MAX_CONSOLE) return;
      trouble = "the guest prints without end";
      child.kill("SIGKILL");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
    });
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      const lines = text.replaceAll("\r", "");
      if (!trouble && !lines.includes(`\n${END}\n`)) trouble = "the guest ended before its script did, or its console was cut";
      if (trouble) reject(new Error(`${trouble}:\n${lines.slice(-4000)}`));
      else resolve(lines);
    });
  });
}

/** Set-up keeps one; the newest where there are several. */
function kernel(): string | undefined {
  if (!existsSync(TOOLS)) return undefined;
  const found = readdirSync(TOOLS).filter((name) => name.startsWith("vmlinuz"));
  return found.length > 0 ? join(TOOLS, found.sort().at(-1) as string) : undefined;
}

const BASE = (): GuestFile[] => [
  { path: "/bin/busybox", from: BUSYBOX as string },
  { path: "/init", content: INIT },
  ...["/proc", "/sys", "/dev", "/tmp", "/root", "/run", "/var/run", "/mnt"].map((path) => ({ path })),
  { path: "/etc/passwd", content: "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n", mode: 0o644 },
  { path: "/etc/group", content: "root:x:0:\nuser:x:1000:\n", mode: 0o644 },
  { path: "/etc/shadow", content: "root:*:1::::::\n", mode: 0o600 },
];

/** The last that a guest prints: a console without it was cut, and what is missing there says nothing. */
const END = "@@all of it";

/** Pid 1. `step` prints what a command says between two marks, the second with its status: tests read nothing else. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t securityfs securityfs /sys/kernel/security
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /tmp
ln -s /proc/self/fd /dev/fd
ip link set lo up
echo 0 >/proc/sys/kernel/printk_ratelimit
step() {
  name=$1
  shift
  echo "@@begin $name"
  ("$@") 2>&1 </dev/null
  echo "
@@end $name $?"
}
. /test.sh
# poweroff -f waits for nothing that is still on its way out, and stty waits for all of it.
echo "${END}"
stty -echo </dev/console
poweroff -f
`;

function stepsOf(text: string): Booted["steps"] {
  const found = text.matchAll(/@@begin (\S+)\n([\s\S]*?)\n?@@end \1 (\d+)\n/g);
  return new Map([...found].map(([, name, output, status]) => [name as string, { output: output as string, status: Number(status) }]));
}
