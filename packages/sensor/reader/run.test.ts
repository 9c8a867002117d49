import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { refusedOpen, uncountedRun } from "../testing/capacity.ts";

it("a million events of a second cost the reader less than that second of processor time", () => {
  const said = execFileSync(process.execPath, [fileURLToPath(new URL("../testing/capacity.ts", import.meta.url))], { encoding: "utf8" });
  const { seconds, denials } = JSON.parse(said);
  expect(denials).toEqual([expect.objectContaining({ call: "openat", path: "/etc/shadow", exe: "/usr/bin/python3.11", count: 1_000_000 })]);
  expect(seconds).toBeLessThan(1);
});

it("of more different things than a list holds the rest is counted, and counted once each", () => {
  const run = uncountedRun();
  for (let again = 0; again < 2; again++) for (let name = 0; name < 500; name++) run.take(refusedOpen(`/etc/${name}`, "/bin/sh"));
  const telemetry = run.tell(null);
  expect(telemetry.denials).toHaveLength(100);
  expect(telemetry.denials.every(({ count }) => count === 2)).toBe(true);
  expect(telemetry.denials_dropped).toBe(400);
  expect(telemetry.files.list).toHaveLength(200);
  expect(telemetry.lost.listed).toBe(300);
  expect(telemetry.files.by_class).toEqual({ etc: 1000 });
});
