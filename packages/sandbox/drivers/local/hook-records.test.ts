import { readlinkSync } from "node:fs";
import { NO_RULES, UNSEEN, violationSchema, type WatchedRule } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import { cgroupOf, mountNamespaceIn, RECORD_BYTES, violationOf } from "./hook-records.ts";

const rule: WatchedRule = { id: "block-access-to-metadata-service", path: "spec.policy", enforcer: "BPF", operation: "network", subject: "" };
const confinement = { ...NO_RULES, id: "a".repeat(64), rules: [rule] };
const AT = "2026-01-02T03:04:05.000Z";

function record({ words = [0, 1, 999_999, 2, 1, 6, 80, 0], address = [169, 254, 169, 254], comm = "python3" } = {}): Buffer {
  const bytes = Buffer.alloc(RECORD_BYTES);
  words.forEach((word, i) => {
    bytes.writeUInt32LE(word, i * 4);
  });
  Buffer.from(address).copy(bytes, 32);
  bytes.writeBigUInt64LE(77n, 48);
  bytes.write(comm, 56);
  return bytes;
}
const six = (...groups: number[]) => groups.flatMap((group) => [group >> 8, group & 255]);
const ipOf = (address: number[]) => violationOf(record({ words: [0, 1, 1, 10, 1, 6, 80, 0], address }), confinement, AT)?.event;

describe("a record of a cgroup's program", () => {
  it("becomes a violation of the rule that it names, in the contract's form", () => {
    const violation = violationOf(record(), confinement, AT);
    expect(violationSchema.parse(violation)).toEqual({
      rule_id: rule.id,
      rule_path: rule.path,
      enforcer: "BPF",
      action: "DENIED",
      event: { operation: "Network", type: "connect", ip: "169.254.169.254", port: 80 },
      pid: 999_999,
      comm: "python3",
      mnt_ns_id: null,
      at: AT,
      ...UNSEEN,
    });
    expect(cgroupOf(record())).toBe(77n);
    expect(violationOf(record({ words: [0, 0, 1, 2, 1, 6, 80, 0] }), confinement, AT)?.action).toBe("AUDIT");
    expect(violationOf(record({ words: [1, 1, 1, 2, 1, 6, 80, 0] }), confinement, AT)).toBeNull();
  });

  it("has the mount namespace of its process, and that of the sandbox where the process has ended", () => {
    const of = (pid: number) => violationOf(record({ words: [0, 1, pid, 2, 1, 6, 80, 0] }), confinement, AT, 77)?.mnt_ns_id;
    expect(of(process.pid)).toBe(Number(/\d+/.exec(readlinkSync("/proc/self/ns/mnt"))?.[0]));
    expect(of(999_999_999)).toBe(77);
    expect(mountNamespaceIn("/nowhere")).toBeNull();
  });

  it("writes IPv6 as everybody does", () => {
    for (const [address, text] of [
      [six(0, 0, 0, 0, 0, 0, 0, 0), "::"],
      [six(0, 0, 0, 0, 0, 0, 0, 1), "::1"],
      [six(0xfd00, 0, 0, 0, 0, 0, 0, 9), "fd00::9"],
      [six(0x2001, 0xdb8, 0, 1, 0, 0, 0, 1), "2001:db8:0:1::1"],
      [six(0x2001, 0, 0, 1, 0, 0, 1, 1), "2001::1:0:0:1:1"],
      [six(1, 2, 3, 4, 5, 6, 7, 0), "1:2:3:4:5:6:7:0"],
      [six(0, 0, 0, 0, 0, 0xffff, 0xa9fe, 0xa9fe), "::ffff:169.254.169.254"],
    ] as const)
      expect(ipOf([...address])).toMatchObject({ ip: text });
  });

  it("names sockets as socket(2) does, and keeps numbers that it has no name for", () => {
    const socket = (family: number, type: number, protocol: number) =>
      violationOf(record({ words: [0, 1, 1, family, type, protocol, 0, 1] }), confinement, AT)?.event;
    expect(socket(2, 3, 1)).toEqual({ operation: "Network", type: "socket", domain: "AF_INET", socketType: "SOCK_RAW", protocol: "IPPROTO_ICMP" });
    expect(socket(10, 9, 200)).toEqual({ operation: "Network", type: "socket", domain: "AF_INET6", socketType: "9", protocol: "200" });
  });

  it("cuts a thread's name at its end, whatever the program has put there", () => {
    expect(violationOf(record({ comm: "a\nb\0secret" }), confinement, AT)?.comm).toBe("a\nb");
  });
});
