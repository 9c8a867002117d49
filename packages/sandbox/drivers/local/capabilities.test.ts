import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { bench } from "../../testing/harness.ts";
import { watched } from "../../testing/watched.ts";
import { capabilityRecords } from "./capabilities.ts";
import { localDriverMissing, openLocalDriver } from "./index.ts";

/** Each line: what was tried, and 0 or the errno. */
const TRIES = `
import ctypes, errno, os, socket
l = ctypes.CDLL(None, use_errno=True)
def t(name, r): print(name, 'possible' if r >= 0 else errno.errorcode[ctypes.get_errno()])
def o(name, f):
    try: f(); print(name, 'possible')
    except OSError as e: print(name, errno.errorcode[e.errno])
os.makedirs('/tmp/a', exist_ok=True)
t('tmpfs', l.mount(b'x', b'/tmp/a', b'tmpfs', 0, None))
t('proc', l.mount(b'x', b'/tmp/a', b'proc', 0, None))
t('umount a mask', l.umount2(b'/proc/keys', 0))
t('detach a mask', l.umount2(b'/proc/keys', 2))
t('umount /proc/sys', l.umount2(b'/proc/sys', 2))
t('umount /proc', l.umount2(b'/proc', 2))
t('writable root', l.mount(None, b'/', None, 32 | 4096, None))
t('writable usr', l.mount(None, b'/usr', None, 32 | 4096, None))
t('exec workspace', l.mount(None, b'/workspace', None, 32 | 4096 | 2 | 4, None))
t('bind under a mask', l.mount(b'/', b'/tmp/a', None, 4096, None))
t('rbind', l.mount(b'/proc', b'/tmp/a', None, 4096 | 16384, None))
o('read a mask elsewhere', lambda: open('/tmp/a/keys'))
o('core_pattern', lambda: open('/proc/sys/kernel/core_pattern', 'w'))
o('core_pattern elsewhere', lambda: open('/tmp/a/sys/kernel/core_pattern', 'w'))
t('hostname', l.sethostname(b'zz', 2))
o('raw socket', lambda: socket.socket(17, 3, 3))
t('user namespace', l.unshare(0x10000000))
o('uid_map', lambda: print(open('/proc/self/uid_map').read().split()))
t('setuid', l.setuid(0))
t('clock', l.settimeofday(ctypes.byref((ctypes.c_long * 2)(1, 0)), None))
t('reboot', l.reboot(0))
t('module', l.syscall(175, b'', 0, b''))
print([x for x in open('/proc/self/status').read().split('\\n') if x.startswith('Cap')])
`;

describe.skipIf(localDriverMissing() !== null)("what permissive policies let a program keep [needs: root]", () => {
  const home = mkdtempSync(join(tmpdir(), "plastron-capabilities-"));
  let driver: SandboxDriver;
  beforeAll(async () => {
    driver = await openLocalDriver({ home, uidBase: 1_900_400_000 });
  });
  afterAll(async () => {
    await driver.close();
    rmSync(home, { recursive: true });
  });
  const tried = async (capabilities: string[], noexec = false) => {
    const { stdout, stderr } = await bench(driver, watched({}, { capabilities, noexec_writable: noexec })).python(TRIES);
    expect(stderr).toBe("");
    return stdout.trim().split("\n");
  };
  const HOST = ["core_pattern", "hostname"].map((name) => [name, readFileSync(`/proc/sys/kernel/${name}`, "utf8")]);

  it("is nothing by default", async () => {
    const lines = await tried([]);
    expect(lines.filter((line) => line.endsWith("possible"))).toEqual(["uid_map possible"]);
    expect(lines.at(-1)).toMatch(/CapEff:\\t0{16}.*CapBnd:\\t0{16}/);
  });

  it("is exactly what is named, over namespaces of its own, and never anything of the host", async () => {
    const lines = await tried(["net_raw", "sys_admin"], true);
    expect(lines.filter((line) => line.endsWith("possible")).sort()).toEqual([
      "hostname possible",
      "raw socket possible",
      "rbind possible",
      "tmpfs possible",
      "uid_map possible",
    ]);
    expect(lines).toEqual(expect.arrayContaining(["proc EPERM", "umount a mask EINVAL", "detach a mask EINVAL", "umount /proc EINVAL", "writable root EPERM"]));
    expect(lines).toEqual(
      expect.arrayContaining(["exec workspace EPERM", "read a mask elsewhere EACCES", "core_pattern elsewhere EROFS", "user namespace ENOSPC"]),
    );
    expect(lines.find((line) => line.startsWith("["))).toMatch(/^\['1000', '19004\d{5}', '1'\]$/);
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) expect(lines.at(-1)).toContain(`${set}:\\t0000000000202000`);
    for (const [name, value] of HOST) expect(readFileSync(`/proc/sys/kernel/${name}`, "utf8"), name).toBe(value);
  });

  it("leaves Landlock in place for every capability that needs no mounts", async () => {
    const lines = await tried(["net_raw", "dac_override"]);
    expect(lines.filter((line) => line.endsWith("possible"))).toEqual(["raw socket possible", "uid_map possible"]);
  });

  it("refuses a name that is no capability", () => {
    expect(() => capabilityRecords(watched({}, { capabilities: ["cap_net_raw"] }))).toThrow("no capability cap_net_raw");
  });

  it("leaves what is unexecutable to be read, and nothing else: by no other name, link, loader, copy or mapping", async () => {
    const code = `
/usr/bin/env true && echo ran; /lib64/ld-linux-x86-64.so.2 /usr/bin/env true && echo loaded; cp /usr/bin/env /tmp/e; chmod +x /tmp/e; /tmp/e true && echo copied
ln -s /usr/bin/env l; ./l true && echo linked; printf '#!/usr/bin/env true\\n' > s; chmod +x s; ./s && echo script; test -s /usr/bin/env && cmp /usr/bin/env /tmp/e && echo read
python3 -c 'import mmap; f = open("/usr/bin/env", "rb"); mmap.mmap(f.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC, flags=mmap.MAP_PRIVATE); print("mapped")' 2>/dev/null; true`;
    const lines = async (unexecutable: string[]) => (await bench(driver, watched({}, { unexecutable })).bash(code)).stdout.trim().split("\n");
    expect(await lines([])).toEqual(["ran", "loaded", "copied", "linked", "script", "read", "mapped"]);
    expect(await lines(["/usr/bin/env"])).toEqual(["read"]);
    expect(await lines(["/**/en?"])).toEqual(["read"]);
    expect(await lines(["/**/en*"])).toEqual(["read"]);
  }, 60_000);
});
