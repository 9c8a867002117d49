import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runChild } from "./child.ts";
import { type Finding, missing, type Probe, working } from "./probe.ts";

/** What tiers 3 and 4 stand on. Whether the gvisor driver itself works is a row of its own; no driver uses KVM yet. */
export function strongerProbes(): Probe[] {
  return [
    { id: "gvisor", title: "gVisor runs a command", required: false, timeoutMs: 9500, try: gvisor },
    { id: "kvm", title: "A KVM guest boots (no driver uses it yet)", required: false, timeoutMs: 4000, try: kvm },
  ];
}

/** `--platform=kvm` is never tried: it can hang for ever where guests do not boot. */
async function gvisor(): Promise<Finding> {
  const said: string[] = [];
  const attempts = await Promise.all(["systrap", "ptrace"].map(async (platform) => ({ platform, ended: await runsc(platform) })));
  for (const { platform, ended } of attempts) {
    if (ended.absent) return missing("runsc is not installed", "apt-get install runsc");
    if (ended.code === 0 && ended.stdout === "inside")
      return working(`runsc ran a command on platform ${platform}; telemetry: limited to what its own trace points tell`);
    said.push(`${platform}: ${ended.timedOut ? "no answer" : ended.stderr.split("\n").at(-1)?.slice(0, 160)}`);
  }
  return missing(said.join(" · "), "Install a current runsc from gVisor's release page.");
}

async function runsc(platform: string) {
  const root = mkdtempSync(join(tmpdir(), "plastron-doctor-"));
  const own = process.geteuid?.() === 0 ? [] : ["--rootless"];
  const ended = await runChild(
    "runsc",
    [...own, `--root=${root}`, "--network=none", "--ignore-cgroups", `--platform=${platform}`, "do", "/bin/echo", "inside"],
    8500,
  );
  rmSync(root, { recursive: true, force: true });
  return ended;
}

async function kvm(): Promise<Finding> {
  if (!existsSync("/dev/kvm")) return missing("there is no /dev/kvm", "Use a machine with virtualization, or switch nested virtualization on.");
  if (process.arch !== "x64") return missing(`the test guest is written for x86-64, not ${process.arch}`);
  const ended = await runChild("/usr/bin/python3", ["-I", "-S", join(import.meta.dirname, "scripts", "kvm_guest.py")], 2000);
  if (ended.stdout === "booted") return working("a guest computed its answer and halted");
  const why = ended.timedOut
    ? "the guest was entered and never came back"
    : ended.stdout || ended.stderr.split("\n").at(-1) || `the child ended with ${ended.signal ?? ended.code}`;
  if (/Errno 13/.test(why)) return missing("/dev/kvm is there, but this user may not open it", "Run as root, or add the user to the group kvm.");
  return missing(`/dev/kvm is there, but ${why}`, "The hypervisor around this machine must allow nested guests.");
}
