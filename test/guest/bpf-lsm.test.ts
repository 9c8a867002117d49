import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { bpfLsmTables } from "../../packages/policy/backends/bpf-lsm.ts";
import { FOR_BOTH, FOR_BPF } from "./attempts.ts";
import { battery, built, probeFiles, type Tried, triedIn } from "./battery.ts";
import { type Booted, boot, lacking, stepOf } from "./guest.ts";
import { acceptance, DIFY, ordersOf } from "./policy.ts";

const absent = lacking("/usr/bin/clang", "/usr/include/bpf/bpf_helpers.h");
const ATTEMPTS = [...FOR_BOTH, ...FOR_BPF];

/** Each policy has its own copy of the object, for one cgroup. */
const SCRIPT = `
up() {
  plastron-lsm /object /tables/$2 $3 $4 >/log/$1 2>/log/$1-error &
  while ! grep -q ready /log/$1 && kill -0 $!; do sleep 0.05; done
}
enter() { echo 0 >/sys/fs/cgroup/$1/cgroup.procs && exec busybox sh -c "$2"; }
mkdir /log
for group in free deny observe dify; do
  mkdir /sys/fs/cgroup/$group
  [ $group = free ] || up $group $group --cgroup /sys/fs/cgroup/$group
done
cat /log/*-error
${battery(["free", "deny", "observe"], ATTEMPTS)}
cp /bin/busybox /bin/busybox-tools
enter() { echo 0 >/sys/fs/cgroup/$1/cgroup.procs && exec busybox-tools sh -c "$2"; }
for group in free dify; do
  step namespaces-$group enter $group 'probe namespaces'
  step mount-$group enter $group 'busybox-tools mount -t tmpfs t /mnt && busybox-tools umount /mnt'
  step busybox-$group enter $group '/bin/busybox true'
  step work-$group enter $group 'echo 1 >/tmp/file && busybox-tools cat /tmp/file'
done
leave() {
  unshare -m probe leave /run/secrets/kubernetes.io/serviceaccount/token &
  leaver=$!
  while ! grep -q 'State:.T' /proc/$leaver/status; do sleep 0.05; done
  [ $1 = free ] || up namespace deny --mount-namespace $leaver
  kill -CONT $leaver
  wait $leaver
}
step leave-free leave free
step leave-confined leave confined
step outside cat /run/secrets/kubernetes.io/serviceaccount/token
sleep 0.3
for group in deny observe dify; do step log-$group cat /log/$group; done
`;

describe.skipIf(absent !== "")(`the BPF LSM object in a kernel that has one${absent}`, () => {
  let booted: Booted;
  let tried: Map<string, Tried>;
  beforeAll(async () => {
    const build = join(import.meta.dirname, "../../packages/sandbox/native/lsm/build.sh");
    const [object, loader] = built((to) => execFileSync("sh", [build, to], { stdio: "pipe" }), "plastron-lsm.bpf.o", "plastron-lsm");
    const tables = Object.entries({ deny: acceptance(false), observe: acceptance(true), dify: DIFY });
    booted = await boot(
      SCRIPT,
      [
        { path: "/object", content: object },
        { path: "/bin/plastron-lsm", content: loader },
        ...tables.map(([name, text]) => ({ path: `/tables/${name}`, content: bpfLsmTables(ordersOf(text)).tables })),
        ...probeFiles(),
      ],
      90_000,
    );
    tried = triedIn(booted.console);
  }, 120_000);

  const ended = (group: string, which: string): Tried => {
    const found = tried.get(`${group} ${which}`);
    if (!found) throw new Error(`never tried: ${group} ${which}\n${booted.console.slice(-6000)}`);
    return found;
  };

  test.each(ATTEMPTS.map((each, i) => [each.title, i] as const))("%s: works without, denied with, observed and logged", (_, i) => {
    const { control, logged, beyond } = ATTEMPTS[i] as (typeof ATTEMPTS)[number];
    expect(ended("free", `${i}`)).toMatchObject({ status: 0 });
    expect(ended("observe", `${i}`)).toMatchObject({ status: 0 });
    expect(ended("deny", `${i}`).status).not.toBe(0);
    expect(ended("deny", `${i}`).why).not.toMatch(/not found|Usage|probe:/);
    if (control) for (const group of ["free", "deny", "observe"]) expect(ended(group, `${i}c`), `control, ${group}`).toMatchObject({ status: 0 });
    const denials = lines("log-deny").filter((line) => line.includes('"denied":true'));
    expect(denials.some((line) => logged.test(line))).toBe(true);
    const observed = lines("log-observe").filter((line) => line.includes('"denied":false'));
    if (!beyond) expect(observed.some((line) => logged.test(line))).toBe(true);
  });

  const lines = (step: string): string[] => stepOf(booted, step).output.split("\n");

  test("10: capabilities in a user namespace of one's own, in two steps, are refused by the policy for Dify", () => {
    expect(stepOf(booted, "namespaces-free").status).toBe(0);
    expect(stepOf(booted, "namespaces-dify").status).toBe(13);
    expect(stepOf(booted, "mount-free").status).toBe(0);
    expect(stepOf(booted, "mount-dify").status).not.toBe(0);
    expect(stepOf(booted, "busybox-free").status).toBe(0);
    expect(stepOf(booted, "busybox-dify").status).not.toBe(0);
    expect(stepOf(booted, "work-dify")).toEqual({ output: "1\n", status: 0 });
    expect(stepOf(booted, "log-dify").output).toMatch(/"kind":"capability".*"denied":true.*"detail":\[21,/);
  });

  test("a program that is known by its mount namespace cannot leave it for one without rules; others are left alone", () => {
    expect(stepOf(booted, "leave-free").status).toBe(0);
    expect(stepOf(booted, "leave-confined").status).toBe(13);
    expect(stepOf(booted, "outside")).toEqual({ output: "secret\n", status: 0 });
  });

  test("no record was lost, and every line is JSON", () => {
    for (const step of ["log-deny", "log-observe", "log-dify"]) {
      const records = lines(step).filter((line) => line.startsWith("{"));
      expect(records.length).toBeGreaterThan(1);
      for (const line of records) expect(JSON.parse(line)).not.toHaveProperty("lost");
    }
  });
});
