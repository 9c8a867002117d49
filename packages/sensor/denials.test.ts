import { describe, expect, it } from "vitest";
import { openStage } from "./testing/open-stage.ts";
import { python, sensorMissing, watch } from "./testing/stage.ts";

const NOBODY = "os.setresuid(65534, 65534, 65534)\n";
/** One function for each, so that each has a stack of its own. Between them, stacks may be taken again. */
const attempts = (tries: Record<string, string>) =>
  `import ctypes, time\ncall = ctypes.CDLL(None).syscall\n${NOBODY}${Object.entries(tries)
    .map(([name, code]) => `def ${name}():\n  try: ${code}\n  except OSError: pass\nfor _ in range(2): ${name}()\ntime.sleep(0.15)\n`)
    .join("")}`;

describe.runIf(sensorMissing === null && process.arch === "x64")("denials of one call [needs: root, x86_64, BTF, the sensor's programs]", () => {
  const stage = openStage();

  const once = async (tries: Record<string, string>) => {
    const { telemetry } = await watch(stage.sensor, python(attempts(tries)));
    expect(telemetry.stacks_skipped).toBe(telemetry.denials.filter(({ stack }) => stack === null).length);
    return telemetry;
  };
  const seen = async (tries: Record<string, string>) => {
    let telemetry = await once(tries);
    // A busy machine may not read a stack in the time that a program is held still for: once, not each time.
    for (let again = 0; again < 2 && !telemetry.denials.every(({ stack }) => stack?.incomplete === null); again++) telemetry = await once(tries);
    return telemetry.denials.map(({ call, arguments: words, count, stack }) => [
      call,
      words[0],
      count,
      stack?.frames.find(({ language }) => language === "python")?.function,
    ]);
  };

  it("are told apart by what they ask for, each with a stack of its own", async () => {
    const told = await seen({
      raw: "call(41, 2, 3, 1)",
      packet: "call(41, 17, 3, 0)",
      cgroup: "call(272, 0x02000000)",
      network: "call(272, 0x40000000)",
      high: "call(41, ctypes.c_long(0x7_00000011), 3, 0)",
    });
    // The kernel reads 32 bits of an int: what stands above them makes nothing else of it.
    expect(told).toEqual([
      ["socket", "0x2", 2, "raw"],
      ["socket", "0x11", 4, "packet"],
      ["unshare", "0x2000000", 2, "cgroup"],
      ["unshare", "0x40000000", 2, "network"],
    ]);
  });

  it("are not told apart by pointers, sizes and descriptors", async () => {
    const told = await seen({ names: "list(map(lambda n: call(170, ctypes.create_string_buffer(n + 1), n), range(20)))" });
    expect(told).toEqual([["sethostname", expect.any(String), 40, expect.stringMatching(/^names/)]]);
  });

  it("are told apart by the last letter of a long path, and by the address", async () => {
    const long = "/etc/../".repeat(40);
    const told = await seen({
      one: `os.mkdir(${JSON.stringify(`${long}usr/a`)})`,
      other: `os.mkdir(${JSON.stringify(`${long}usr/b`)})`,
      second: `os.rename("/etc/hostname", ${JSON.stringify(`${long}usr/c`)})`,
      third: `os.rename("/etc/hostname", ${JSON.stringify(`${long}usr/d`)})`,
      low: "__import__('socket').socket(2, 2).bind(('127.0.0.1', 7))",
      lower: "__import__('socket').socket(2, 2).bind(('127.0.0.1', 9))",
    });
    expect(told.map(([call, , count, name]) => [call, count, name])).toEqual([
      ["mkdir", 2, "one"],
      ["mkdir", 2, "other"],
      ["rename", 2, "second"],
      ["rename", 2, "third"],
      ["bind", 2, "low"],
      ["bind", 2, "lower"],
    ]);
  });
});
