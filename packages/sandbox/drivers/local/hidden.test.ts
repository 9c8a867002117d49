import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Confinement } from "@plastron/contracts";
import { afterAll, describe, expect, it } from "vitest";
import { resolveHidden } from "./hidden.ts";

const usr = mkdtempSync(join(tmpdir(), "plastron-usr-"));
afterAll(() => rmSync(usr, { recursive: true, force: true }));
mkdirSync(join(usr, "bin/deep/er"), { recursive: true });
for (const name of ["bin/wget", "bin/deep/er/wget", "bin/wget2", "bin/busybox", "bin/log.txt"]) writeFileSync(join(usr, name), "");
symlinkSync("busybox", join(usr, "bin/su"));
symlinkSync("/etc/passwd", join(usr, "bin/outside"));

const hide = (part: Partial<Confinement>) => resolveHidden({ hidden: [], forbidden_programs: [], ...part } as Confinement, usr);

describe("what a confinement hides", () => {
  it("is a program wherever it lies, and nothing with a longer name", async () => {
    expect(await hide({ forbidden_programs: ["wget"] })).toEqual(["/usr/bin/deep/er/wget", "/usr/bin/wget"]);
  });

  it("is both a link and what it leads to, but nothing outside the root", async () => {
    expect(await hide({ forbidden_programs: ["su", "outside"] })).toEqual(["/usr/bin/busybox", "/usr/bin/outside", "/usr/bin/su"]);
  });

  it("may be an absolute path, there or not, or a glob", async () => {
    expect(await hide({ hidden: ["/run/secrets", "/usr/bin/*.txt", "/proc/**/mem"] })).toEqual(["/run/secrets", "/usr/bin/log.txt"]);
  });
});
