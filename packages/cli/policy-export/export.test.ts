import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCommandLine } from "../program.ts";
import { painter } from "../terminal/terminal.ts";

const DIFY = join(import.meta.dirname, "../../../policies/dify-sandbox.yaml");

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "plastron-export-"));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

async function plastron(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const out = new PassThrough();
  const err = new PassThrough();
  const plain = painter(false);
  const status = await runCommandLine(args, { out, err, columns: Number.POSITIVE_INFINITY, interactive: false, paint: plain, paintErr: plain });
  return { status, out: out.read()?.toString() ?? "", err: err.read()?.toString() ?? "" };
}

it("prints an AppArmor profile, and beside it what the profile cannot say", async () => {
  const { status, out, err } = await plastron("policy", "export", DIFY, "--as", "apparmor");
  expect(status).toBe(0);
  expect(out).toContain('profile "plastron-dify-sandbox-policy"');
  expect(err).toContain("block-access-to-metadata-service: AppArmor does not look at addresses");
});

it("writes tables to a file, and what their rule numbers mean", async () => {
  const file = join(place, "dify.lsm");
  expect((await plastron("policy", "export", DIFY, "--as", "bpf-lsm", "--output", file)).status).toBe(0);
  expect(readFileSync(file).subarray(0, 8).toString()).toBe("PLASTLSM");
  expect(JSON.parse(readFileSync(`${file}.json`, "utf8"))[0]).toMatchObject({ rule: "disallow-mount" });
});

it("prints no bytes to a terminal, and knows no other form", async () => {
  expect((await plastron("policy", "export", DIFY, "--as", "bpf-lsm")).status).toBe(2);
  expect((await plastron("policy", "export", DIFY, "--as", "selinux")).status).toBe(2);
  expect((await plastron("policy", "export", DIFY)).status).toBe(2);
});

it("gives everything as JSON", async () => {
  const { out } = await plastron("policy", "export", DIFY, "--as", "seccomp-oci", "--json");
  const exported = JSON.parse(out);
  expect(JSON.parse(exported.content)).toMatchObject({ defaultAction: "SCMP_ACT_ALLOW" });
  expect(exported.rows.length).toBeGreaterThan(3);
});
