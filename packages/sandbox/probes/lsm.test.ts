import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { appArmor, bpfLsm, lsmProbes, usableLsm } from "./lsm.ts";
import { tryProbe } from "./probe.ts";

let security: string;
let btf: string;
beforeEach(() => {
  security = mkdtempSync(join(tmpdir(), "plastron-lsm-"));
  btf = join(security, "vmlinux");
});
afterEach(() => rmSync(security, { recursive: true, force: true }));

test("a host without either names the kernel's command line", () => {
  writeFileSync(join(security, "lsm"), "capability,landlock");
  expect(appArmor(security)).toMatchObject({ status: "missing", remedy: expect.stringContaining("lsm=") });
  expect(bpfLsm(security, btf)).toMatchObject({ status: "missing", remedy: expect.stringContaining("lsm=") });
  expect(usableLsm(security, btf)).toEqual([]);
});

test("a host that tells nothing has neither", () => {
  expect(usableLsm(join(security, "absent"), btf)).toEqual([]);
});

test.runIf(process.geteuid?.() === 0)("a host with both has both [needs: root]", () => {
  writeFileSync(join(security, "lsm"), "lockdown,capability,apparmor,bpf\n");
  mkdirSync(join(security, "apparmor"));
  expect(usableLsm(security, btf)).toEqual([]);
  writeFileSync(join(security, "apparmor/.replace"), "");
  writeFileSync(btf, "");
  expect(usableLsm(security, btf)).toEqual(["apparmor", "bpf"]);
});

test("the doctor has a row for each", async () => {
  const rows = await Promise.all(lsmProbes().map(tryProbe));
  expect(rows.map(({ id }) => id)).toEqual(["lsm-apparmor", "lsm-bpf"]);
  for (const row of rows) expect(row.status === "working" || row.remedy !== null).toBe(true);
});
