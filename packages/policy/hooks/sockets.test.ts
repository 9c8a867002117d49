import type { HookPoint } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { complaints, decode, execute } from "../testing/extended-bpf.ts";
import { assembleHooks, type HookRules } from "./hooks.ts";

const NONE: HookRules = { connects: [], sockets: [], binds: [], devices: false };
const WORLD = { pid: 4711, cgroup: 99n, comm: "a name that is longer than the kernel keeps" };

function run(rules: HookRules, at: HookPoint, context: Uint8Array) {
  const found = assembleHooks(rules)?.programs.find((program) => program.at === at);
  if (!found) return { answer: 1, records: [] };
  const program = decode(Buffer.from(found.code, "base64"));
  expect(complaints(program)).toEqual([]);
  return execute(program, context, WORLD);
}

const words = (...values: number[]) => new Uint8Array(new Uint32Array(values).buffer);
/** struct bpf_sock */
const socket = (family: number, type: number, protocol: number) => words(0, family, type, protocol, 0, 0);

describe("socket hooks", () => {
  const list = (...values: number[]) => fc.subarray(values, { maxLength: 2 });
  const rules = fc.array(
    fc.record({
      rule: fc.integer({ min: 0, max: 9 }),
      families: list(1, 2, 10),
      types: list(1, 2, 3),
      protocols: list(0, 1, 6, 17, 132),
      deny: fc.boolean(),
      report: fc.boolean(),
    }),
    { maxLength: 6 },
  );

  it("decide and record what a plain reading says: every list that is not empty must have the number", () => {
    const asked = fc.tuple(fc.constantFrom(2, 10), fc.constantFrom(1, 2, 3, 5), fc.constantFrom(0, 1, 6, 17, 132, 136));
    fc.assert(
      fc.property(rules, asked, (sockets, [family, type, protocol]) => {
        const { answer, records } = run({ ...NONE, sockets }, "sock_create", socket(family, type, protocol));
        const has = (values: number[], value: number) => values.length === 0 || values.includes(value);
        const matching = sockets.filter((rule) => has(rule.families, family) && has(rule.types, type) && has(rule.protocols, protocol));
        const reported = matching.filter(({ report }) => report).toSorted((a, b) => Number(b.deny) - Number(a.deny) || a.rule - b.rule);
        expect(answer).toBe(matching.some(({ deny }) => deny) ? 0 : 1);
        expect(records.map((record) => new DataView(record.buffer).getUint32(0, true))).toEqual(reported.slice(0, 1).map(({ rule }) => rule));
      }),
      { numRuns: 500 },
    );
  });

  it("record the kind of socket, and as much of the thread's name as there is", () => {
    const [record] = run(
      { ...NONE, sockets: [{ rule: 3, families: [2], types: [], protocols: [], deny: false, report: true }] },
      "sock_create",
      socket(2, 2, 17),
    ).records;
    const view = new DataView((record as Uint8Array).buffer);
    expect([0, 4, 12, 16, 20, 24, 28].map((offset) => view.getUint32(offset, true))).toEqual([3, 0, 2, 2, 17, 0, 1]);
    expect(new TextDecoder().decode((record as Uint8Array).subarray(56, 71))).toBe("a name that is ");
  });

  it("refuse what reaches addresses past the other hooks, as soon as a rule denies an address; watching alone refuses nothing", () => {
    const around = [
      socket(2, 3, 1),
      socket(2, 2, 1),
      socket(10, 2, 58),
      socket(2, 2, 136),
      socket(2, 1, 132),
      socket(2, 5, 132),
      socket(2, 6, 33),
      socket(2, 3, 255),
    ];
    const ordinary = [socket(2, 1, 6), socket(10, 2, 17), socket(2, 1, 262)];
    const connects = (deny: boolean) => ({ ...NONE, connects: [{ rule: 5, cidr: "10.0.0.1", ports: [], deny, report: true }] });
    expect(around.map((context) => run(connects(true), "sock_create", context).answer)).toEqual(around.map(() => 0));
    expect(ordinary.map((context) => run(connects(true), "sock_create", context).answer)).toEqual([1, 1, 1]);
    expect(around.map((context) => run(connects(false), "sock_create", context).answer)).toEqual(around.map(() => 1));
    expect(run(connects(true), "sock_create", socket(2, 3, 1)).records).toHaveLength(1);
  });
});

describe("bind hooks", () => {
  it("decide by the port alone", () => {
    const binds = [{ rule: 1, ports: [[1, 1023] as const], deny: true, report: true }];
    const context = (port: number) => words(2, 0, 0, 0, 0, 0, ((port & 255) << 8) | (port >> 8), 2, 1, 6);
    for (const at of ["bind4", "bind6"] as const)
      expect([0, 1, 80, 1023, 1024, 65535].map((port) => run({ ...NONE, binds }, at, context(port)).answer)).toEqual([1, 0, 0, 0, 1, 1]);
    expect(new DataView((run({ ...NONE, binds }, "bind4", context(80)).records[0] as Uint8Array).buffer).getUint32(28, true)).toBe(2);
  });
});

describe("the device hook", () => {
  const [BLOCK, CHARACTER, MKNOD, READ, WRITE] = [1, 2, 1 << 16, 2 << 16, 4 << 16];
  const may = (access: number, major: number, minor: number) => run({ ...NONE, devices: true }, "device", words(access, major, minor)).answer === 1;

  it("lets the six devices of a sandbox be read and written, and nothing else", () => {
    const open: string[] = [];
    for (let major = 0; major < 12; major++)
      for (let minor = 0; minor < 20; minor++) if (may(CHARACTER | READ | WRITE, major, minor)) open.push(`${major}:${minor}`);
    expect(open).toEqual(["1:3", "1:5", "1:7", "1:8", "1:9", "5:0"]);
    expect([may(BLOCK | READ, 1, 3), may(BLOCK | READ, 8, 0), may(CHARACTER | MKNOD, 1, 3), may(CHARACTER | MKNOD | READ, 1, 5)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
