import { chmodSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KernelSensor } from "./sensor.ts";
import { python, scratchFolder, sensorMissing, watch } from "./testing/stage.ts";

const unified = readFileSync("/proc/self/mounts", "utf8")
  .split("\n")
  .map((line) => line.split(" "))
  .find(([, , type]) => type === "cgroup2")?.[1];

describe.runIf(sensorMissing === null && unified !== undefined)(
  "what a profile is made of, and bytes by peer [needs: root, BTF, the sensor's programs, the unified cgroup hierarchy]",
  () => {
    const folder = scratchFolder();
    const parent = `${unified}/plastron-sensor-test-${process.pid}`;
    const group = `${parent}/one`;
    let sensor: KernelSensor;

    beforeAll(async () => {
      chmodSync(folder.path, 0o755);
      mkdirSync(group, { recursive: true });
      sensor = await KernelSensor.open({ cgroup: parent });
    });
    afterAll(async () => {
      await sensor?.close();
      rmdirSync(group);
      rmdirSync(parent);
      folder.remove();
    });

    it("arguments that decide, files with what was done to them, sockets, executions and capabilities", async () => {
      const code = `
import socket, fcntl, ctypes
os.chdir(${JSON.stringify(folder.path)})
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("127.0.0.1", 53))
os.close(os.open("new", os.O_CREAT | os.O_WRONLY)); open("new", "a").close()
os.rename("new", "other"); os.link("other", "second"); os.mkdir("dir"); os.unlink("other"); os.chmod("second", 0o600)
libc = ctypes.CDLL(None)
for option in range(1000, 1100): libc.prctl(option, 0, 0, 0, 0)
libc.personality(0xffffffff)
os.chown("second", 12, 12)
if os.fork() == 0: os.execv("/bin/true", ["true"])
os.wait()
`;
      const { telemetry } = await watch(sensor, python(code), { sensing: "model" });
      const { model } = telemetry;
      expect(telemetry).toMatchObject({ level: "full", reason: null });
      const values = (name: string, index: number) =>
        model?.syscalls.find((call) => call.name === name)?.arguments.find((argument) => argument.index === index)?.values;
      expect(values("socket", 0)).toEqual(["0x2"]);
      expect(values("personality", 0)).toEqual(["0xffffffff"]);
      expect(values("prctl", 0)).toBeNull(); // too many to list
      const permissions = (name: string) => model?.files.find(({ path }) => path === join(folder.path, name))?.permissions;
      expect(permissions("new")).toEqual(["write", "create", "append", "rename"]);
      expect(permissions("other")).toEqual(expect.arrayContaining(["rename", "link", "delete"]));
      expect(permissions("second")).toEqual(expect.arrayContaining(["create", "write"]));
      expect(permissions("dir")).toEqual(["create"]);
      expect(model?.executions).toEqual(["/usr/bin/true"]);
      expect(model?.sockets).toContainEqual({ family: "inet", type: "dgram", protocol: "0" });
      expect(model?.connections).toEqual([{ address: "127.0.0.1", port: 53 }]);
      expect(model?.capabilities).toContain("chown");
      expect(model?.complete).toBe(true);
    });

    it("bytes and packets by peer, both ways", async () => {
      const code = `
import socket
open(${JSON.stringify(`${group}/cgroup.procs`)}, "w").write("0")
one, two = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.bind(("127.0.0.1", 0)); two.bind(("127.0.0.1", 0))
for _ in range(10): one.sendto(b"x" * 100, two.getsockname()); two.recv(200)
print(one.getsockname()[1], two.getsockname()[1])
one.close(); two.close()
`;
      const { telemetry, stdout } = await watch(sensor, python(code), { cgroup: BigInt(statSync(group).ino) });
      const [one, two] = stdout.trim().split(" ").map(Number);
      const flow = { protocol: "udp", address: "127.0.0.1", host: null };
      // 100 bytes, and 28 of headers. Each is the other's peer.
      expect(telemetry.network.flows).toContainEqual({ ...flow, port: two, bytes_in: 0, bytes_out: 1280, packets_in: 0, packets_out: 10 });
      expect(telemetry.network.flows).toContainEqual({ ...flow, port: one, bytes_in: 1280, bytes_out: 0, packets_in: 10, packets_out: 0 });
      const next = await watch(sensor, python("pass"), { cgroup: BigInt(statSync(group).ino) });
      expect(next.telemetry.network.flows).toEqual([]);
    });

    it("names that a second sandbox gives do not reach the first's profile", async () => {
      writeFileSync(join(folder.path, "theirs"), "");
      const [mine] = await Promise.all([
        watch(sensor, python("open('/etc/hostname').close()"), { sensing: "model" }),
        watch(sensor, python(`open(${JSON.stringify(join(folder.path, "theirs"))}).close()`), { sensing: "model" }),
      ]);
      expect(mine.telemetry.model?.files.map(({ path }) => path)).toContain("/etc/hostname");
      expect(mine.telemetry.model?.files.some(({ path }) => path.endsWith("theirs"))).toBe(false);
    });
  },
);
