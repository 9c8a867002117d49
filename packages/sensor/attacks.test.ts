import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { telemetrySchema } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import { openStage } from "./testing/open-stage.ts";
import { compiled, python, sensorMissing, watch } from "./testing/stage.ts";

describe.runIf(sensorMissing === null)("a program that wants to be seen as another [needs: root, BTF, the sensor's programs]", () => {
  const stage = openStage();

  it("what is recorded is what was opened, while another thread rewrites the name", async () => {
    const [good, evil] = [join(stage.folder, "good"), join(stage.folder, "evil")];
    writeFileSync(good, "g");
    writeFileSync(evil, "e");
    // The opener counts by what it can read which file it really got; the name in memory changes all the time.
    const code = `
static char name[256]; static volatile int stop;
static void *rewrite(void *_) { int good, evil; memcpy(&good, "good", 4); memcpy(&evil, "evil", 4); volatile int *at = (volatile int *)(name + ${good.length - 4}); while (!stop) { *at = evil; *at = good; } return 0; }
MAIN
strcpy(name, ${JSON.stringify(good)}); pthread_t t; pthread_create(&t, 0, rewrite, 0);
int goods = 0, evils = 0, misled = 0;
for (int i = 0; i < 20000; i++) { int fd = open(name, O_RDONLY); if (fd < 0) continue; char now = *(volatile char *)&name[${good.length - 4}], c = 0; read(fd, &c, 1); if (c == 'e') evils++; else goods++; if ((c == 'e') != (now == 'e')) misled++; close(fd); }
stop = 1; pthread_join(t, 0); printf("%d %d %d\\n", goods, evils, misled);`;
    const { telemetry, stdout } = await watch(stage.sensor, compiled(stage.folder, "race", code), { sensing: "account" });
    const [goods, evils, misled] = stdout.trim().split(" ").map(Number) as [number, number, number];
    const reads = (path: string) => telemetry.files.list.find((file) => file.path === path)?.reads ?? 0;
    expect(misled).toBeGreaterThan(0); // who reads the name afterwards is told something else
    expect([reads(good), reads(evil)]).toEqual([goods, evils]);
    expect(telemetry.lost.events).toBe(0);
  });

  it("a descriptor that is exchanged at once hides what was opened from the list, and from no count", async () => {
    const [wanted, other] = [join(stage.folder, "wanted"), join(stage.folder, "other")];
    writeFileSync(wanted, "w");
    writeFileSync(other, "o");
    const code = `
static volatile int stop; static int shown;
static void *exchange(void *_) { while (!stop) for (int fd = 4; fd < 12; fd++) dup2(shown, fd); return 0; }
MAIN
shown = open(${JSON.stringify(other)}, O_RDONLY); pthread_t t; pthread_create(&t, 0, exchange, 0);
for (int i = 0; i < 20000; i++) close(open(${JSON.stringify(wanted)}, O_RDONLY));
stop = 1; pthread_join(t, 0);`;
    const { telemetry } = await watch(stage.sensor, compiled(stage.folder, "exchange", code), { sensing: "account" });
    const reads = (path: string) => telemetry.files.list.find((file) => file.path === path)?.reads ?? 0;
    expect(telemetry.files.opens).toBe(20_001);
    expect(telemetry.syscalls.by_name.openat).toBe(20_001);
    expect(telemetry.files.by_class).toEqual({ tmp: 20_001 });
    expect(reads(wanted)).toBeGreaterThan(0);
    expect(reads(wanted) + reads(other)).toBe(20_001);
    expect(telemetry.lost).toEqual({ events: 0, listed: 0 });
  });

  it("symbolic links and other roots are seen through", async () => {
    writeFileSync(join(stage.folder, "target"), "");
    symlinkSync("target", join(stage.folder, "alias"));
    mkdirSync(join(stage.folder, "cell"));
    writeFileSync(join(stage.folder, "cell", "inside"), "");
    const code = `open(${JSON.stringify(join(stage.folder, "alias"))}).close()\nos.chroot(${JSON.stringify(join(stage.folder, "cell"))})\nopen("/inside").close()`;
    const { telemetry } = await watch(stage.sensor, python(code));
    const paths = telemetry.files.list.map(({ path }) => path);
    expect(paths).toContain(join(stage.folder, "target"));
    expect(paths).toContain(join(stage.folder, "cell/inside"));
  });

  it("calls through the 32-bit entry are counted by their own numbers, and their denials told", async () => {
    // 20 is getpid there and writev here; 5 is open.
    const code = `
for (int i = 0; i < 10; i++) { long r = 20; __asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11"); }
char *low = mmap((void *)0x10000000, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); strcpy(low, "/etc/shadow");
if (setresuid(65534, 65534, 65534)) return 8;
long r = 5; __asm__ volatile("int $0x80" : "+a"(r) : "b"((unsigned)(long)low), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11"); printf("%ld\\n", r);`;
    if (process.arch !== "x64") return;
    const { telemetry, stdout } = await watch(stage.sensor, compiled(stage.folder, "compat", code));
    if (stdout.trim() === "-38") return; // a kernel without the entry
    expect(stdout.trim()).toBe("-13");
    expect(telemetry.syscalls.ia32).toBe(11);
    expect(telemetry.syscalls.by_name).toMatchObject({ "ia32:getpid": 10, "ia32:open": 1 });
    expect(telemetry.syscalls.by_name.writev).toBeUndefined();
    expect(telemetry.flags).toContain("ia32");
    expect(telemetry.denials[0]).toMatchObject({ call: "ia32:open", abi: "ia32", path: "/etc/shadow", errno: "EACCES" });
  });

  it("programs without a name are told as such: memfd, fexecve of a deleted file", async () => {
    const memfd = `
fd = os.memfd_create("quiet", 0)
os.write(fd, open("/bin/true", "rb").read())
if os.fork() == 0: os.execve(fd, ["true", "memfd"], {})
os.wait()`;
    const gone = `
import shutil
shutil.copy("/bin/true", ${JSON.stringify(join(stage.folder, "gone"))})
fd = os.open(${JSON.stringify(join(stage.folder, "gone"))}, os.O_RDONLY)
os.unlink(${JSON.stringify(join(stage.folder, "gone"))})
if os.fork() == 0: os.execve(fd, ["true", "gone"], {})
os.wait()`;
    const anonymous = await watch(stage.sensor, python(memfd));
    expect(anonymous.telemetry.flags).toEqual(["anonymous_executable"]);
    expect(anonymous.telemetry.processes.list.at(-1)).toMatchObject({ exe: expect.stringMatching(/^\/memfd:quiet/), argv: ["true", "memfd"], code: 0 });
    const deleted = await watch(stage.sensor, python(gone));
    expect(deleted.telemetry.flags).toEqual(["deleted_executable"]);
    expect(deleted.telemetry.processes.list.at(-1)).toMatchObject({ exe: `${stage.folder}/gone (deleted)`, argv: ["true", "gone"] });
  });

  it("a process that forks twice and outlives the program is told", async () => {
    const code = "if os.fork() == 0:\n  if os.fork() == 0:\n    import time; time.sleep(60)\n  os._exit(0)\nos.wait()";
    const { telemetry } = await watch(stage.sensor, python(code));
    expect(telemetry.flags).toEqual(["outlived"]);
    expect(telemetry.processes).toMatchObject({ forks: 2 });
    const waits = await watch(stage.sensor, python("if os.fork() == 0: os._exit(0)\nos.wait()"));
    expect(waits.telemetry.flags).toEqual([]);
  });

  it("arguments without end and names that are no text are cut and made text", async () => {
    const code = `
os.chdir(${JSON.stringify(stage.folder)})
junk = b"\\xff\\xfe\\x00"[:2] + b"\\n\\"\\\\\\x1b[31m" + "é€😀".encode() + b"\\xf0\\x9f"
os.close(os.open(junk, os.O_CREAT | os.O_WRONLY))
deep = b"/".join([b"d" * 200] * 4)
os.makedirs(deep); os.close(os.open(deep + b"/" + b"f" * 250, os.O_CREAT | os.O_WRONLY))
if os.fork() == 0: os.execv("/bin/true", ["true"] + ["x" * 1000] * 100)
os.wait()
if os.fork() == 0: os.execv("/bin/true", [junk])
os.wait()
try: open(b"a" * 4000)
except OSError: pass
`;
    const { telemetry } = await watch(stage.sensor, python(code));
    expect(telemetrySchema.parse(JSON.parse(JSON.stringify(telemetry)))).toEqual(telemetry);
    expect(telemetry.files.list.some(({ path, creates }) => path === `${stage.folder}/\ufffd\ufffd\n"\\\x1b[31mé€😀\ufffd` && creates === 1)).toBe(true);
    const execs = (telemetry.timeline ?? []).filter((one) => one.kind === "exec");
    expect(execs[0]).toMatchObject({ argv_truncated: true });
    expect(execs[0]?.argv.join("\0").length).toBeLessThanOrEqual(1024);
    expect(execs[1]).toMatchObject({ argv_truncated: false });
    const long = telemetry.files.list.find(({ path }) => path.includes("ffff"));
    expect(long?.path).toMatch(/^…\/.*f{250}$/);
  });

  it("a stop for a stack is over at once, and leaves nobody standing", async () => {
    const code = `
import time
os.setresuid(65534, 65534, 65534)
took = []
for n in range(60):
    before = time.monotonic()
    try: open("/proc/1/no-%d/../mem" % n) if n % 2 else os.mkdir("/no-%d" % n)
    except OSError: pass
    took.append(time.monotonic() - before)
print(max(took), len([one for one in took if one > 0.3]))`;
    const { telemetry, stdout } = await watch(stage.sensor, python(code));
    expect(Number(stdout.split(" ")[1])).toBe(0);
    expect(telemetry.denials.length).toBeGreaterThanOrEqual(30);
    const taken = telemetry.denials.filter(({ stack }) => stack !== null).length;
    expect(taken).toBeGreaterThanOrEqual(1);
    expect(taken).toBeLessThanOrEqual(16);
    expect(telemetry.stacks_skipped).toBe(telemetry.denials.length - taken);
    expect(spawnSync("sh", ["-c", "ps -eo stat,args | grep '^T' | grep -c plastron-sensor"], { encoding: "utf8" }).stdout.trim()).toBe("0");
  });
});
