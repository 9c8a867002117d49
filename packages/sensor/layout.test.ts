import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ACCOUNT, CONTROL, EVENT } from "./layout.ts";

const STRUCTS = { account: ACCOUNT, event: EVENT, control: CONTROL };

it("what the kernel's side and its reader share lies where both say it does", () => {
  const folder = mkdtempSync(join(tmpdir(), "plastron-layout-"));
  try {
    const lines = Object.entries(STRUCTS).flatMap(([name, fields]) =>
      Object.keys(fields).map((field) =>
        field === "size" ? `printf("${name} size %zu\\n", sizeof(struct ${name}));` : `printf("${name} ${field} %zu\\n", offsetof(struct ${name}, ${field}));`,
      ),
    );
    const types = [8, 16, 32, 64].map((bits) => `typedef uint${bits}_t u${bits};`).join(" ");
    const source = `#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n${types} typedef int32_t s32; typedef int64_t s64;\n#include "layout.h"\nint main(void) {\n${lines.join("\n")}\n}\n`;
    writeFileSync(join(folder, "layout.c"), source);
    const program = join(folder, "layout");
    execFileSync("cc", ["-I", join(import.meta.dirname, "native/bpf"), "-o", program, join(folder, "layout.c")], { stdio: "pipe" });
    const said = execFileSync(program, { encoding: "utf8" }).trim().split("\n").sort();
    const expected = Object.entries(STRUCTS).flatMap(([name, fields]) => Object.entries(fields).map(([field, at]) => `${name} ${field} ${at}`));
    expect(said).toEqual(expected.sort());
  } finally {
    rmSync(folder, { recursive: true });
  }
});
