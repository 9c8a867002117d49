import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DoctorReport, doctorReportSchema, hostFactsSchema } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runChild } from "./child.ts";
import { remedyFor } from "./drivers.ts";
import { doctor, hostFacts } from "./index.ts";
import { realBinary } from "./interpreters.ts";
import { missing, tryProbe, working } from "./probe.ts";

const scratch = mkdtempSync(join(tmpdir(), "plastron-probes-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe("the doctor", () => {
  let report: DoctorReport;
  let ms: number;
  const before = traces();
  beforeAll(async () => {
    const began = performance.now();
    report = await doctor();
    ms = performance.now() - began;
  }, 30_000);
  const control = (id: string) => report.controls.find((row) => row.id === id);

  it("answers in under ten seconds with a row per control, in the contract's form", () => {
    expect(ms).toBeLessThan(10_000);
    expect(doctorReportSchema.parse(report)).toEqual(report);
    expect(new Set(report.controls.map((row) => row.id)).size).toBe(report.controls.length);
  });

  it("says how to get what is missing", () => {
    for (const row of report.controls.filter(({ id, status }) => status === "missing" && !/^(local|bubblewrap)-/.test(id))) {
      expect(row.remedy, row.id).toMatch(/\w/);
    }
  });

  it("gives the tier of the best driver that ran a program", () => {
    const usable = report.drivers.filter((driver) => driver.usable).map((driver) => driver.tier);
    expect(report.tier).toBe(Math.max(1, ...usable));
    for (const driver of report.drivers) expect(control(`driver-${driver.name}`)?.status).toBe(driver.usable ? "working" : "missing");
  });

  it("saw a filter kill and a program that is not the kernel's root", () => {
    expect(control("seccomp")).toMatchObject({ status: "working", detail: expect.stringContaining("SIGSYS") });
    for (const driver of report.drivers.filter(({ usable }) => usable)) {
      for (const what of ["uid", "core-pattern", "descriptors"]) expect(control(`${driver.name}-${what}`)).toMatchObject({ status: "working" });
    }
  });

  it("saw a call answered from outside, where the facts say that calls can be watched", async () => {
    expect(control("seccomp-notify")?.status).toBe((await hostFacts()).notify ? "working" : "missing");
  });

  it("read the counters of limits that a child really hit [needs: root]", ({ skip }) => {
    if (process.geteuid?.() !== 0) skip();
    expect(control("cgroup-memory")).toMatchObject({ status: "working", detail: expect.stringMatching(/oom_kill [1-9]/) });
    expect(control("cgroup-pids")).toMatchObject({ status: "working" });
    expect(control("freezer")).toMatchObject({ status: "working" });
  });

  it("leaves nothing behind", () => {
    expect(traces()).toEqual(before);
  });
});

describe("host facts", () => {
  it("are quick, true to the doctor, and in the contract's form", async () => {
    await hostFacts();
    const began = performance.now();
    const facts = await hostFacts();
    expect(performance.now() - began).toBeLessThan(3000);
    expect(hostFactsSchema.parse(facts)).toEqual(facts);
    expect(facts.arch).toBe(execFileSync("uname", ["-m"], { encoding: "utf8" }).trim());
    expect(facts.user_namespaces).toBe((await runChild("unshare", ["--user", "--map-root-user", "true"], 2000)).code === 0);
  });
});

describe("a probe", () => {
  const probe = (attempt: () => Promise<ReturnType<typeof working>>) => tryProbe({ id: "x", title: "X", required: false, timeoutMs: 100, try: attempt });

  it("that hangs is a control that is missing", async () => {
    expect(await probe(() => new Promise(() => {}))).toMatchObject({ status: "missing", detail: "no answer within 100 ms" });
  });

  it("that throws is a control that is missing, with the reason", async () => {
    expect(await probe(() => Promise.reject(new Error("broken")))).toMatchObject({
      status: "missing",
      detail: expect.stringContaining("broken"),
      remedy: null,
    });
  });

  it("passes its finding on", async () => {
    expect(await probe(async () => working("seen"))).toMatchObject({ id: "x", status: "working", detail: "seen", remedy: null });
    expect(await probe(async () => missing("not seen", "get it"))).toMatchObject({ status: "missing", remedy: "get it" });
  });
});

describe("a driver's remedy", () => {
  it("is to become root where only that is missing", () => {
    expect(remedyFor("local", false)).toMatch(/^Run as root/);
    expect(remedyFor("local", true)).toContain("gcc");
    expect(remedyFor("bubblewrap", false)).toContain("bubblewrap");
  });
});

describe("a probe's child", () => {
  it("is killed with what it started when its time is over", async () => {
    const pidFile = join(scratch, "pid");
    const began = performance.now();
    const ended = await runChild("/bin/sh", ["-c", `sleep 300 & echo $! > ${pidFile}; wait`], 1500);
    expect(ended).toMatchObject({ timedOut: true, signal: "SIGKILL" });
    expect(performance.now() - began).toBeLessThan(8000);
    const grandchild = readFileSync(pidFile, "utf8").trim();
    await expect.poll(() => existsSync(`/proc/${grandchild}`) && !/^State:\tZ/m.test(readFileSync(`/proc/${grandchild}/status`, "utf8"))).toBe(false);
  });

  it("that is not installed is an answer, not an exception", async () => {
    expect(await runChild("no-such-program-here", [], 300)).toMatchObject({ absent: true, code: null });
  });
});

describe("a real interpreter", () => {
  it("is a program, not a script that finds one", () => {
    const shim = join(scratch, "python3");
    writeFileSync(shim, "#!/bin/sh\nexec /usr/bin/python3\n");
    chmodSync(shim, 0o755);
    expect(realBinary(shim)).toBeUndefined();
    expect(realBinary(join(scratch, "nothing"))).toBeUndefined();
    expect(realBinary(process.execPath)).toMatch(/node/);
  });
});

/** What a probe could leave: a directory, a cgroup. */
function traces(): string[] {
  const cgroups = existsSync("/sys/fs/cgroup/memory") ? readdirSync("/sys/fs/cgroup/memory") : readdirSync("/sys/fs/cgroup");
  return [...readdirSync(tmpdir()), ...cgroups].filter((name) => name.startsWith("plastron-doctor"));
}
