import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import type { Bench } from "./harness.ts";

/** What a program must not be able to reach. Attacks that could work against nothing at all are first shown to work outside. */
export function describeIsolation(use: () => Bench): void {
  describe("a program is isolated:", () => {
    it("it is nobody special, in no group, with no capability and no way to gain any", async () => {
      const ran = await use().python("import os; print(os.getuid() != 0, os.geteuid() != 0, 0 in os.getgroups()); print(open('/proc/self/status').read())");
      expect(ran.stdout).toMatch(/^True True False\n/);
      const guest = use().features.proc === "guest";
      for (const set of ["CapInh", "CapPrm", "CapEff", guest ? "CapBnd" : "CapAmb"]) expect(ran.stdout).toMatch(new RegExp(`${set}:\\s+0{16}\\n`));
      const noNewPrivileges = "import ctypes; print(ctypes.CDLL(None).prctl(39, 0, 0, 0, 0))";
      if (guest) expect((await use().python(noNewPrivileges)).stdout).toBe("1\n");
      else expect(ran.stdout).toMatch(/NoNewPrivs:\s+1\n/);
    });

    it("it is not the kernel's uid 0 and cannot write core_pattern", async () => {
      const map = (await use().bash("cat /proc/self/uid_map")).stdout.trim().split(/\s+/).map(Number);
      expect(map.length).toBe(3);
      // A guest's user namespace is its own kernel's root; that it is nobody on the host is shown by the driver's own tests.
      expect(map[2]).toBe(use().features.proc === "guest" ? 0xffff_ffff : 1);
      const before = readFileSync("/proc/sys/kernel/core_pattern", "utf8");
      const ran = await use().bash("echo owned > /proc/sys/kernel/core_pattern && echo wrote");
      expect(ran.stdout).toBe("");
      expect(readFileSync("/proc/sys/kernel/core_pattern", "utf8")).toBe(before);
    });

    it("it has the three standard descriptors and no other", async () => {
      const listed = "import os\nfds=[]\nfor fd in range(1024):\n  try: os.fstat(fd); fds.append(fd)\n  except OSError: pass\nprint(fds)";
      const withoutControl = (text: string) => text.replace(/, 10\d\d\]/, "]");
      // One more, close-on-exec and at the top, is a worker's own control socket: it leads to the sandbox's supervisor only.
      expect(withoutControl((await use().python(listed)).stdout)).toBe("[0, 1, 2]\n");
      expect((await use().bash("for fd in /proc/self/fd/*; do [ -e $fd ] && basename $fd; done | sort -n | head -4 | tr '\\n' ' '")).stdout.slice(0, 6)).toBe(
        "0 1 2 ",
      );
      expect(
        (
          await use().python(
            "import subprocess, sys; print(subprocess.check_output([sys.executable, '-c', sys.argv[1]], close_fds=False, text=True), end='')",
            { args: [listed] },
          )
        ).stdout,
      ).toBe("[0, 1, 2]\n");
    });

    it("it reaches no network, not even this machine's", async () => {
      const server = createServer((_, answer) => answer.end("secret"));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      try {
        const attack = (p: number) =>
          `import urllib.request\ntry: print(urllib.request.urlopen('http://127.0.0.1:${p}/', timeout=2).read())\nexcept Exception as e: print('closed')`;
        expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("secret");
        expect((await use().python(attack(port))).stdout).toBe("closed\n");
        const metadata =
          "import socket\ns=socket.socket(); s.settimeout(2)\ntry: s.connect(('169.254.169.254', 80)); print('open')\nexcept OSError: print('closed')";
        expect((await use().python(metadata)).stdout).toBe("closed\n");
      } finally {
        server.close();
      }
    });

    it("it cannot write outside its workspace and temporary places", async () => {
      const code = `
import os
for path in ('/etc/x', '/usr/x', '/usr/bin/env', '/x', '/bin/x', '/dev/x', '/opt/x', '/proc/sys/kernel/hostname', '/etc/passwd'):
  try: open(path, 'a').write('x'); print('wrote', path)
  except OSError: pass
for path in ('ok', '/tmp/ok', '/dev/shm/ok'): open(path, 'w').write('x')
print('done')`;
      expect(await use().python(code)).toMatchObject({ stdout: "done\n", stderr: "" });
    });

    it("it sees no process, home or secret of the host", async () => {
      const ran = await use().bash(
        "ls /proc | grep -c '^[0-9]'; ls /root /home /var/run/secrets /run/secrets 2>/dev/null; cat /etc/shadow 2>/dev/null; ls /srv /mnt /media 2>/dev/null; true",
      );
      const [count, ...rest] = ran.stdout.trim().split("\n");
      expect(Number(count)).toBeLessThan(12);
      expect(rest).toEqual([]);
      expect((await use().bash(`kill -0 ${process.pid} && echo reached`)).stdout).toBe("");
    });

    it("it cannot make namespaces or mounts", async () => {
      const ran = await use().bash(
        "unshare -U true && echo userns; unshare -m true && echo mountns; mount -t tmpfs x /tmp && echo mounted; umount /tmp && echo unmounted; true",
      );
      expect(ran.stdout).toBe("");
    });

    it("it sees nothing of the run before it", async () => {
      const leave = "for d in /workspace /tmp /dev/shm; do echo secret > $d/left; done; ls /workspace/left";
      const look = "ls /workspace/left /tmp/left /dev/shm/left 2>/dev/null | wc -l";
      for (let i = 0; i < 3; i++) {
        expect((await use().bash(look)).stdout.trim()).toBe("0");
        expect((await use().bash(leave)).stdout).toBe("/workspace/left\n");
      }
    });
  });
}
