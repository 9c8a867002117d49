import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stackSchema } from "@plastron/contracts";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { ElfFile, NotElf } from "./elf/file.ts";
import { functionAt, readSymbols } from "./elf/symbols.ts";
import { unwindRowAt } from "./elf/unwind-table.ts";
import { readStack } from "./index.ts";
import { sourcePositionOf } from "./node/positions.ts";
import { lineOf } from "./python/lines.ts";
import { pythons, Stage, short } from "./testing/stopped.ts";
import { printable } from "./text.ts";

/** Milliseconds of a processor since `started`. */
const spent = (started: NodeJS.CpuUsage) => process.threadCpuUsage(started).user / 1000;

const stage = new Stage();
afterAll(() => stage.clear());

/** Where frames and code objects keep what the programs below break; `previous` of a frame, name and line table of a code object. */
const VERSIONS = {
  "3.11": { previous: 48, name: 128, lines: 136 },
  "3.12": { previous: 8, name: 128, lines: 136 },
  "3.13": { previous: 8, name: 128, lines: 136 },
};

const BREAK = (at: { previous: number; name: number; lines: number }) => `
import ctypes, os, signal, sys
def put(address, value): ctypes.c_uint64.from_address(address).value = value & (2**64 - 1)
def get(address): return ctypes.c_uint64.from_address(address).value
def frame_of(f): return get(id(f) + 24)
PREVIOUS, NAME, LINES = ${at.previous}, ${at.name}, ${at.lines}
def victim(then):
    then(sys._getframe())
    os.kill(os.getpid(), signal.SIGSTOP)
def caller(then):
    victim(then)
`;

const BROKEN: Record<string, { code: string; reason: RegExp | null }> = {
  "frames in a circle": { code: "caller(lambda f: put(frame_of(f.f_back) + PREVIOUS, frame_of(f)))", reason: /circle/ },
  "a frame that is its own caller": { code: "caller(lambda f: put(frame_of(f) + PREVIOUS, frame_of(f)))", reason: /circle/ },
  "a caller at address 1": { code: "caller(lambda f: put(frame_of(f) + PREVIOUS, 1))", reason: /nowhere/ },
  "a caller in the kernel": { code: "caller(lambda f: put(frame_of(f) + PREVIOUS, 0xffffffff81000000))", reason: /nowhere/ },
  "a caller at the last address": { code: "caller(lambda f: put(frame_of(f) + PREVIOUS, 2**64 - 1))", reason: /nowhere/ },
  "a caller in memory that is not there": { code: "caller(lambda f: put(frame_of(f) + PREVIOUS, 0x700000000000))", reason: /not there/ },
  "a caller that is no frame": {
    code: "junk = ctypes.create_string_buffer(os.urandom(4096), 4096)\ncaller(lambda f: put(frame_of(f) + PREVIOUS, ctypes.addressof(junk)))",
    reason: /./,
  },
  "a name that is no text": { code: "caller(lambda f: put(id(f.f_code) + NAME, id(f.f_code)))", reason: /no text/ },
  "a name of 2**62 characters": { code: "name = 'x' * 50\nput(id(name) + 16, 2**62)\ncaller(lambda f: put(id(f.f_code) + NAME, id(name)))", reason: null },
  "a name that ends where memory does": {
    code: "import mmap\nm = mmap.mmap(-1, 4096)\nbase = ctypes.addressof(ctypes.c_char.from_buffer(m))\nname = 'x' * 50\nctypes.memmove(base + 4000, id(name), 96)\nput(base + 4016, 2**40)\ncaller(lambda f: put(id(f.f_code) + NAME, base + 4000))",
    reason: null,
  },
  "a line table of 2**62 bytes": { code: "lines = caller.__code__.co_linetable\nput(id(lines) + 16, 2**62)\ncaller(lambda f: None)", reason: null },
  "a line table of noise": { code: "noise = os.urandom(60000)\ncaller(lambda f: put(id(f.f_code) + LINES, id(noise)))", reason: null },
};

for (const [version, offsets] of Object.entries(VERSIONS)) {
  const [python] = pythons(version);
  describe.skipIf(python === undefined)(`a Python ${version} that breaks its own memory [needs: python${version}]`, { timeout: 60_000 }, () => {
    it.each(Object.entries(BROKEN))("with %s gets what could be read, and a reason", async (_, { code, reason }) => {
      const pid = await stage.stopped(python as string, [stage.write("broken.py", BREAK(offsets) + code)]);
      const started = process.threadCpuUsage();
      const stack = stackSchema.parse(readStack(pid, pid));
      expect(spent(started)).toBeLessThan(1_000);
      expect(stack.frames[0]?.language).toBe("native");
      if (reason) expect(stack.incomplete).toMatch(reason);
      stage.kill(pid);
    });
  });
}

const [python = ""] = pythons("3.11");
describe.skipIf(python === "")("a process that does not stand still [needs: python3.11]", { timeout: 120_000 }, () => {
  it("can be read a thousand times while it runs", async () => {
    const code =
      "import threading, sys\ndef churn(n):\n    x = [lambda: churn(n - 1)] if n else []\n    exec(compile(f'def f{n}(g): [h() for h in g]', '<' + 'y' * n + '>', 'exec'), ns := {})\n    ns[f'f{n}'](x)\nprint('up', flush=True)\nfor _ in range(3): threading.Thread(target=lambda: [churn(30) for _ in iter(int, 1)], daemon=True).start()\nwhile True: churn(20)\n";
    const child = stage.start(python, [stage.write("churn.py", code)]);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    const pid = child.pid as number;
    let found = 0;
    for (let i = 0; i < 1_000; i++) {
      const stack = readStack(pid, pid);
      if (i % 50 === 0) stackSchema.parse(stack);
      found += stack.frames.length;
    }
    expect(child.exitCode).toBeNull();
    expect(found).toBeGreaterThan(1_000);
    stage.kill(pid);
  });

  it("can end while it is read", async () => {
    for (let round = 0; round < 10; round++) {
      const child = stage.start(python, ["-c", `import time\nprint(1, flush=True)\nend = time.time() + ${round / 200}\nwhile time.time() < end: pass\n`]);
      await new Promise((resolve) => child.stdout?.once("data", resolve));
      let last = readStack(child.pid as number, child.pid as number);
      const until = Date.now() + 10_000;
      while (!/ended|no such thread/.test(last.incomplete ?? "") && Date.now() < until) {
        last = stackSchema.parse(readStack(child.pid as number, child.pid as number));
        if (last.incomplete === null) await new Promise((resolve) => setImmediate(resolve));
      }
      expect(last.incomplete).toMatch(/ended|no such thread/);
    }
  });

  it("may have more mappings than are read", async () => {
    const code = "import mmap, os, signal\nkept = [mmap.mmap(-1, 4096, prot=(1, 3)[i % 2]) for i in range(20000)]\nos.kill(os.getpid(), signal.SIGSTOP)\n";
    const pid = await stage.stopped(python, [stage.write("maps.py", code)]);
    const started = process.threadCpuUsage();
    const stack = stackSchema.parse(readStack(pid, pid));
    expect(spent(started)).toBeLessThan(1_000);
    expect([stack.incomplete, ...short(stack, "python")].join()).toMatch(/<module>:3|too many mappings|not there|nowhere/);
    stage.kill(pid);
  });
});

it("of no process is a reason and no more", () => {
  expect(readStack(2 ** 22 + 1, 2 ** 22 + 1)).toEqual({ frames: [], truncated: false, incomplete: "the process ended while it was looked at" });
  expect(readStack(process.pid, 1).incomplete).toBe("there is no such thread");
});

describe("what a sandbox may have written", () => {
  it.skipIf(!existsSync("/bin/true"))(
    "as a binary with wrong numbers anywhere in its tables is turned away or read, and soon",
    () => {
      const copy = join(stage.directory, "mutated");
      copyFileSync("/bin/true", copy);
      const original = readFileSync(copy);
      const tables = new ElfFile(copy);
      const { sections } = tables.header();
      tables.close();
      const places = [0, original.readUInt32LE(40), ...sections.filter(({ name }) => /sym|eh_frame|str/.test(name)).map(({ offset }) => offset)];
      fc.assert(
        fc.property(
          fc.constantFrom(...places),
          fc.array(fc.tuple(fc.nat(2000), fc.constantFrom(0, 1, 4, 0x7f, 0x80, 0xff)), { minLength: 1, maxLength: 12 }),
          (place, changes) => {
            const bytes = Buffer.from(original);
            for (const [offset, value] of changes) if (place + offset < bytes.length) bytes[place + offset] = value;
            writeFileSync(copy, bytes);
            const started = process.threadCpuUsage();
            const file = new ElfFile(copy);
            try {
              const header = file.header();
              const symbols = readSymbols(file, header.sections, () => true);
              for (let address = 0; address < 0x6000; address += 0x311) {
                functionAt(file, symbols, address);
                unwindRowAt(file, header.machine, header.sections, header.segments, address);
              }
            } catch (error) {
              // All that callers take for a file that cannot be read.
              if (!(error instanceof NotElf) && !(error instanceof RangeError)) throw error;
            } finally {
              file.close();
            }
            expect(spent(started)).toBeLessThan(2_000);
          },
        ),
        { numRuns: 150 },
      );
    },
    60_000,
  );

  it("as a pipe in a binary's place is not waited for", () => {
    const pipe = join(stage.directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    expect(() => new ElfFile(pipe)).toThrow(NotElf);
  });

  it("as tables of lines and positions ends", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer(), fc.integer({ min: -5, max: 1e9 }), (bytes, first, at) => {
        const line = lineOf(Buffer.from(bytes), first | 0, at);
        expect(line === null || line >= 0).toBe(true);
        const position = sourcePositionOf(Buffer.from(bytes), at);
        expect(position === null || Number.isFinite(position)).toBe(true);
      }),
    );
  });

  it("as text is never longer than its bound, nor more than text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (text, limit) => {
        const shown = printable(text, limit);
        expect(shown.length).toBeLessThanOrEqual(limit);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

it("is not that of another process that got its number", async () => {
  const pid = await stage.stopped("/bin/sh", ["-c", "kill -STOP $$"]);
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const startTicks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  expect(readStack(pid, pid, { startTicks }).frames.length).toBeGreaterThan(0);
  expect(readStack(pid, pid, { startTicks: startTicks - 1 })).toEqual({ frames: [], truncated: false, incomplete: "another process has its number by now" });
});
