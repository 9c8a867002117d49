import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HostFacts, type SelfTest, TYPICAL_HOST } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compilePolicy } from "./compile.ts";
import { bpfLoading, socketFilters, userNamespaces } from "./rules/probes-kernel.ts";
import { findRule } from "./rules/registry.ts";
import { selfTestsOf } from "./rules/rule.ts";
import { CLONE_NEWUSER } from "./seccomp/constants.ts";
import { encode, Graph, type Node } from "./seccomp/program.ts";
import { syscallNumbers } from "./seccomp/syscalls.ts";
import { NOBODY, PYTHON, runFiltered, untriable } from "./testing/filtered.ts";
import { policyOf } from "./testing/policies.ts";

const host: HostFacts = { ...TYPICAL_HOST, notify: false, arch: process.arch === "arm64" ? "aarch64" : "x86_64" };

/** Upstream's rule as libseccomp compiles it: everything is allowed but these calls, and registers are compared on all 64 bits. */
function naive(...entries: { name: string; index: number; mask?: number; value: number }[][]): string {
  const graph = new Graph();
  const [allow, deny] = [graph.return(0x7fff0000), graph.return(0x00050001)];
  const start = entries.reduce<Node>((next, conditions) => {
    const [first] = conditions;
    const number = syscallNumbers(host.arch).get(first?.name as string) as number;
    const inside = conditions.reduceRight<Node>((yes, { index, mask = 0xffffffff, value }) => {
      const offset = 16 + 8 * index;
      const low = graph.load(offset, graph.and(mask, graph.jump("eq", value, yes, next)));
      return mask === 0xffffffff ? graph.load(offset + 4, graph.jump("eq", 0, low, next)) : low;
    }, deny);
    return graph.load(0, graph.jump("eq", number, inside, next));
  }, allow);
  return Buffer.from(encode(start)).toString("base64");
}

const ours = (rule: string): string => compilePolicy(policyOf([rule]), host).confinement.seccomp;
const testOf = (rule: string): SelfTest => selfTestsOf(findRule(rule) as NonNullable<ReturnType<typeof findRule>>, host)[0] as SelfTest;
const option = (value: number) => [
  { name: "setsockopt", index: 1, value: 1 },
  { name: "setsockopt", index: 2, value },
];
const unshare = [{ name: "unshare", index: 0, mask: CLONE_NEWUSER, value: CLONE_NEWUSER }];

/** The user namespace by clone, and what it is wanted for by unshare within: neither call is the one that upstream looks at. */
const TWO_STEPS = `
import ctypes, os, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(number, *args):
    return libc.syscall(ctypes.c_long(number), *[ctypes.c_ulong(each) for each in args])
arm = os.uname().machine == "aarch64"
pid = call(220 if arm else 56, ${CLONE_NEWUSER} | signal.SIGCHLD, 0, 0, 0, 0)
if pid == 0:
    os._exit(0 if call(97 if arm else 272, 0x20000) == 0 else 13)
sys.exit(13 if pid < 0 else os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

const HOLES: [hole: string, rule: string, filter: string, attack: string][] = [
  ["a high bit in bpf's command", "disallow-load-all-bpf-prog", naive([{ name: "bpf", index: 0, value: 5 }]), bpfLoading.forbidden],
  ["a high bit in setsockopt's option", "disallow-load-bpf-via-setsockopt", naive(option(26), option(51)), socketFilters.forbidden],
  ["SOCK_STREAM with protocol 0", "disable-tcp", naive([{ name: "socket", index: 2, value: 6 }]), testOf("disable-tcp").forbidden],
  ["SOCK_DGRAM with protocol 0", "disable-udp", naive([{ name: "socket", index: 2, value: 17 }]), testOf("disable-udp").forbidden],
  ["clone and clone3 instead of unshare", "disallow-create-user-ns", naive(unshare), userNamespaces.forbidden],
  ["a user namespace and then another one", "disallow-abuse-user-ns", naive(unshare), TWO_STEPS],
];

describe.skipIf(untriable() !== null)("what gets round upstream's filter", () => {
  let folder = "";
  let namespaces = false;
  const run = (filter: string, code: string) => runFiltered(filter, [PYTHON, "-c", code], folder);
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "plastron-hole-"));
    if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY);
    namespaces = (await run(naive(), TWO_STEPS)).exit_code === 0;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(HOLES)("%s: gets round it, and not round ours", async (_, rule, filter, attack) => {
    const got = await run(filter, attack);
    // A host that gives nobody a user namespace has no hole to show.
    expect([0, ...(rule.endsWith("-user-ns") && !namespaces ? [13] : [])]).toContain(got.exit_code);
    expect(await run(ours(rule), attack)).toMatchObject({ exit_code: 13 });
  });

  test("is not that upstream's filter does nothing: what it looks at is refused", async () => {
    const plain = (value: number) => `import socket\ntry: socket.socket(2, 1, ${value})\nexcept PermissionError: raise SystemExit(13)`;
    const filter = HOLES[2]?.[2] as string;
    expect([(await run(filter, plain(6))).exit_code, (await run(filter, plain(0))).exit_code]).toEqual([13, 0]);
  });
});
