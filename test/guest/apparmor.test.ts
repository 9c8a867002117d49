import { beforeAll, describe, expect, test } from "vitest";
import { appArmorProfile } from "../../packages/policy/backends/apparmor.ts";
import { APPARMOR, apparmorFiles } from "./apparmor.ts";
import { FOR_BOTH } from "./attempts.ts";
import { battery, probeFiles, type Tried, triedIn } from "./battery.ts";
import { type Booted, boot, lacking, stepOf } from "./guest.ts";
import { acceptance, DIFY, everyRule, HOSTILE, hostileOrders, ordersOf } from "./policy.ts";

const absent = lacking("apparmor_parser");

/** Those of the hostile globs that a file can be called by: the name is the glob, letter by letter. */
const PLAIN = HOSTILE.map((text, i) => ({ text, i })).filter(({ text }) => !/[*?/]|\[[^\]]+\]/.test(text));

const SCRIPT = `${APPARMOR}
for profile in deny observe dify every hostile; do step load-$profile load $profile; done
enter() { { [ $1 = free ] || echo "exec $1" >/proc/self/attr/apparmor/exec; } && exec busybox sh -c "$2"; }
${battery(["free", "deny", "observe"], FOR_BOTH)}
step script-free enter free /tmp/script
step script-deny enter deny /tmp/script
cp /bin/busybox /bin/busybox-tools
enter() { { [ $1 = free ] || echo "exec $1" >/proc/self/attr/apparmor/exec; } && exec busybox-tools sh -c "$2"; }
for group in free dify; do
  step namespaces-$group enter $group 'probe namespaces'
  step busybox-$group enter $group '/bin/busybox true'
  step mount-$group enter $group 'busybox-tools mount -t tmpfs t /mnt && busybox-tools umount /mnt'
  step work-$group enter $group 'echo 1 >/tmp/file && busybox-tools cat /tmp/file'
  step leave-$group enter $group 'echo "exec free" >/proc/self/attr/apparmor/exec && exec busybox-tools cat /etc/group'
done
for i in ${PLAIN.map(({ i }) => i).join(" ")}; do
  step hostile-free-$i enter free "cat /hostile/$i/*"
  step hostile-$i enter hostile "cat /hostile/$i/*"
done
step hostile-other enter hostile 'cat /hostile/other'
step socket-free enter free 'probe connect-unix /run/docker.sock'
step socket-deny enter deny 'probe connect-unix /run/docker.sock'
step profiles cat /sys/kernel/security/apparmor/profiles
step log logged
`;

describe.skipIf(absent !== "")(`generated AppArmor profiles in a kernel that has AppArmor${absent}`, () => {
  let booted: Booted;
  let tried: Map<string, Tried>;
  beforeAll(async () => {
    const texts = Object.entries({ deny: acceptance(false), observe: acceptance(true), dify: DIFY });
    const profiles = Object.fromEntries(texts.map(([name, text]) => [name, appArmorProfile(name, ordersOf(text)).text]));
    Object.assign(profiles, { every: appArmorProfile("every", everyRule()).text, hostile: appArmorProfile("hostile", hostileOrders()).text });
    const named = [{ path: "/hostile/other", content: "read\n" }, ...PLAIN.map(({ text, i }) => ({ path: `/hostile/${i}/${text}`, content: "read\n" }))];
    booted = await boot(SCRIPT, [...apparmorFiles(profiles), ...probeFiles(), ...named], 90_000);
    tried = triedIn(booted.console);
  }, 120_000);

  const ended = (group: string, which: string): Tried => {
    const found = tried.get(`${group} ${which}`);
    if (!found) throw new Error(`never tried: ${group} ${which}\n${booted.console.slice(-6000)}`);
    return found;
  };
  const log = (action: string, profile: string): string[] =>
    stepOf(booted, "log")
      .output.split("\n")
      .filter((line) => line.includes(`apparmor="${action}"`) && line.includes(`profile="${profile}"`));

  test.each(["deny", "observe", "dify", "every", "hostile"])("the parser and the kernel take the profile: %s", (name) => {
    expect(stepOf(booted, `load-${name}`)).toEqual({ output: "", status: 0 });
  });

  test.each(FOR_BOTH.map((each, i) => [each.title, i] as const))("%s: works without, denied with, observed and logged", (_, i) => {
    const { control, logged, beyond } = FOR_BOTH[i] as (typeof FOR_BOTH)[number];
    expect(ended("free", `${i}`)).toMatchObject({ status: 0 });
    expect(ended("observe", `${i}`)).toMatchObject({ status: 0 });
    expect(ended("deny", `${i}`).status).not.toBe(0);
    expect(ended("deny", `${i}`).why).not.toMatch(/not found|Usage|probe:/);
    if (control) for (const group of ["free", "deny", "observe"]) expect(ended(group, `${i}c`), `control, ${group}`).toMatchObject({ status: 0 });
    expect(log("DENIED", "deny").some((line) => logged.test(line))).toBe(true);
    if (!beyond) expect(log("AUDIT", "observe").some((line) => logged.test(line))).toBe(true);
  });

  test("the policy for Dify: namespaces, busybox and mounts are refused, and work is done", () => {
    for (const what of ["namespaces", "busybox", "mount"]) {
      expect(stepOf(booted, `${what}-free`), what).toMatchObject({ status: 0 });
      expect(stepOf(booted, `${what}-dify`).status, what).not.toBe(0);
    }
    // The floor denies mounts silently, below the rule that logs it.
    expect(log("DENIED", "dify").some((line) => line.includes('operation="mount"'))).toBe(true);
    expect(stepOf(booted, "work-dify")).toEqual({ output: "1\n", status: 0 });
  });

  test("no glob makes a profile or closes one, and each stands for the name that it is", () => {
    const loaded = stepOf(booted, "profiles").output.trim().split("\n").sort();
    expect(loaded).toEqual(["deny", "dify", "every", "hostile", "observe"].map((name) => `${name} (enforce)`));
    for (const { text, i } of PLAIN) {
      expect(stepOf(booted, `hostile-free-${i}`), text).toEqual({ output: "read\n", status: 0 });
      expect(stepOf(booted, `hostile-${i}`).status, text).not.toBe(0);
    }
    expect(stepOf(booted, "hostile-other")).toEqual({ output: "read\n", status: 0 });
  });

  test("no program changes to another profile", () => {
    expect(stepOf(booted, "leave-dify").status).not.toBe(0);
  });

  test("the interpreter of a script is not asked for, nor is the file of a socket, as rows say", () => {
    for (const step of ["script-free", "script-deny", "socket-free", "socket-deny"]) expect(stepOf(booted, step).status, step).toBe(0);
    const { rows } = appArmorProfile("deny", ordersOf(acceptance(false)));
    expect(rows).toContainEqual({ rule: "disable-wget", note: expect.stringContaining("interpreter") });
    expect(rows).toContainEqual({ rule: "block-access-to-container-runtime", note: expect.stringContaining("socket's file") });
  });
});
