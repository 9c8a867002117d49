import type { Model } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globMatches } from "../orders/glob.ts";
import { type BehaviorProfile, danger, generalise, mergeProfiles, nameOf, profileOf, reachesTooFar } from "./index.ts";

const modelOf = (paths: readonly string[], more: Partial<Model> = {}): Model => ({
  syscalls: [],
  capabilities: [],
  files: paths.map((path) => ({ path, permissions: ["read"] })),
  executions: [],
  sockets: [],
  connections: [],
  names: [],
  complete: true,
  ...more,
});
const learn = (paths: readonly string[], more: Partial<Model> = {}) => profileOf(modelOf(paths, more), { runtime: "python3" });
const patterns = (profile: BehaviorProfile) => profile.files.map(({ path }) => path);

describe("a name", () => {
  it.each([
    ["/proc/17/status", "/proc/[0-9]*/status"],
    ["/proc/self/maps", "/proc/[0-9]*/maps"],
    ["/proc/17/task/19/comm", "/proc/[0-9]*/task/[0-9]*/comm"],
    ["/proc/sys/kernel/ngroups_max", "/proc/sys/kernel/ngroups_max"],
    ["/sys/devices/system/node/node0/meminfo", "/sys/devices/system/node/node[0-9]*/meminfo"],
    ["/usr/lib/x86_64-linux-gnu/libssl.so.3", "/usr/lib/x86_64-linux-gnu/libssl.so.*"],
    ["/usr/lib/x86_64-linux-gnu/libfoo.so.1.2.3", "/usr/lib/x86_64-linux-gnu/libfoo.so.*"],
    ["/usr/bin/python3.11", "/usr/bin/python3.11"],
    ["/tmp/tmpab3x_1q9", "/tmp/tmp????????"],
    ["/tmp/tmpabcdefgh.txt", "/tmp/tmp????????.txt"],
    ["/tmp/tmp.Ab3dEf9hIj", "/tmp/tmp.??????????"],
    ["/tmp/8snh812z", "/tmp/????????"],
    ["/tmp/app-lCwMHv", "/tmp/app-??????"],
    ["/tmp/app-Worker", "/tmp/app-Worker"],
    ["/workspace/final_v2", "/workspace/final_v2"],
    ["/workspace/template.html", "/workspace/template.html"],
    ["/workspace/cache/1b4e28ba-2fa1-11d2-883f-0016d3cca427.json", "/workspace/cache/????????-????-????-????-????????????.json"],
    ["/workspace/__pycache__/a.cpython-311.pyc.140230", "/workspace/__pycache__/a.cpython-311.pyc.[0-9]*"],
    ["/dev/shm/psm_1f2e3d4c", "/dev/shm/psm_????????"],
    ["/workspace/a*b?[c]", "/workspace/a[*]b[?][[]c]"],
    ["/workspace/x/../y", "/workspace/y"],
    ["/memfd:doc (deleted)", "/memfd:* (deleted)"],
    ["/workspace/a\nb'\"", "/workspace/a\nb'\""],
  ])("%s is %s", (path, pattern) => {
    expect(nameOf(path).pattern).toBe(pattern);
    if (!path.includes("..") && !path.includes("self")) expect(globMatches(pattern, path)).toBe(true);
  });

  const name = fc.oneof(
    fc.string({ minLength: 1, maxLength: 12 }),
    fc.stringMatching(/^(tmp)?[a-z0-9_]{8}$/),
    fc.uuid(),
    fc.constantFrom("..", ".", "*", "**", "[", "]", "?", "shadow", "17", "self", "lib.so.1.2"),
  );
  const path = fc
    .tuple(fc.constantFrom("/workspace", "/tmp", "/proc", "/etc", "/usr/lib", "/sys", "", "/dev/shm"), fc.array(name, { minLength: 1, maxLength: 4 }))
    .map(([place, parts]) => `${place}/${parts.map((part) => part.replaceAll("/", "_")).join("/")}`);

  it("of any path matches that path, and reaches nothing that is secret unless the path itself is", () => {
    fc.assert(
      fc.property(path, (given) => {
        const { pattern } = nameOf(given);
        const plain = !/\/(\.{0,2})(\/|$)|\/proc\/(self|thread-self)|\(deleted\)$/.test(given);
        if (plain && !globMatches(pattern, given)) return false;
        return (
          !/^\/\*|\*\*/.test(pattern.replaceAll(/\[[^\]]+\]/g, "")) &&
          (danger(given) !== undefined || danger(pattern) !== undefined || !globMatches(pattern, "/etc/shadow"))
        );
      }),
      { numRuns: 1000 },
    );
  });

  const model = fc.array(path, { maxLength: 40 }).map((paths) => learn(paths));
  const without = ({ runs: _runs, observed, ...rest }: BehaviorProfile) => ({ ...rest, observed: observed.map(({ runs: _, ...file }) => file) });

  it("stands in a profile that is the same whatever came first, and however often", () => {
    fc.assert(
      fc.property(model, model, model, (a, b, c) => {
        const [one, other] = [mergeProfiles(mergeProfiles(a, b), c), mergeProfiles(b, mergeProfiles(c, a))];
        expect(other).toEqual(one);
        expect(without(mergeProfiles(one, a))).toEqual(without(one));
        expect(without(mergeProfiles(one, one))).toEqual(without(one));
        const matches = (file: { path: string }) => one.files.some(({ path }) => path === file.path || globMatches(path, file.path));
        expect(a.observed.filter((file) => !/[*?[]/.test(file.path)).every(matches)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe("many names", () => {
  const many = (count: number, of: (i: number) => string) => Array.from({ length: count }, (_, i) => of(i));
  const word = (i: number) => `w${String.fromCharCode(97 + (i % 26))}${String.fromCharCode(97 + Math.floor(i / 26))}x`;

  it.each([
    ["of one directory", many(20, (i) => `/workspace/data/${word(i)}.csv`), ["/workspace/data/*.csv"]],
    ["of one library", many(30, (i) => `/usr/lib/python3/dist-packages/numpy/d${i % 5}/${word(i)}.py`), ["/usr/lib/python3/dist-packages/numpy/**"]],
    ["that differ in a number", many(5, (i) => `/workspace/part-${i}.txt`), ["/workspace/part-[0-9]*.txt"]],
    ["of the program's own place", many(40, (i) => `/tmp/${word(i)}`), ["/tmp/*"]],
  ])("%s become one pattern, with what it was made of", (_, paths, wanted) => {
    const profile = learn(paths);
    expect(patterns(profile)).toEqual(wanted);
    expect(profile.generalisations).toEqual([expect.objectContaining({ pattern: wanted[0], count: paths.length, examples: [...paths].sort().slice(0, 3) })]);
  });

  it("of what is secret, of programs and of a root's first level stay what they are", () => {
    for (const make of [(i: number) => `/etc/${word(i)}`, (i: number) => `/usr/bin/${word(i)}`, (i: number) => `/${word(i)}`])
      expect(patterns(learn(many(40, make)))).toHaveLength(40);
    const run = learn([], { executions: many(40, (i) => `/usr/lib/tools/deep/${word(i)}`) });
    expect(run.files.filter(({ permissions }) => permissions.includes("exec"))).toHaveLength(40);
    for (const pattern of ["/**", "/*", "/etc/*", "/proc/[0-9]*/*", "/etc/sh*"]) expect(reachesTooFar(pattern), pattern).toBe(true);
  });

  it("never become a pattern that reaches a secret, whatever they are", () => {
    const part = fc.constantFrom("etc", "proc", "17", "root", ".ssh", "run", "secrets", "usr", "lib", "python3", "tmp", "workspace", "x", "y.key");
    const paths = fc.array(
      fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(paths, (roots) => {
        const all = roots.flatMap((root) => many(30, (i) => `${root}/${word(i)}`));
        const { files } = generalise(learn(all).observed);
        return files.every(({ path }) => !/[*?]/.test(path) || path.startsWith("/proc/[0-9]*/") || !reachesTooFar(path));
      }),
    );
  });
});

describe("a profile", () => {
  it("is refused of a run that was not recorded completely, unless it is forced", () => {
    const model = modelOf(["/workspace/a"], { complete: false });
    expect(() => profileOf(model, { runtime: "bash" })).toThrow("not complete");
    expect(profileOf(model, { runtime: "bash", force: true })).toMatchObject({ runs: 1, incomplete_runs: 1 });
  });

  it("says what is dangerous, under the name that it has after generalising too", () => {
    expect(learn(["/etc/shadow", "/proc/17/environ", "/workspace/.ssh/id_rsa", "/etc/hosts"]).dangerous.map(({ what }) => what)).toEqual([
      "/etc/shadow",
      "/proc/[0-9]*/environ",
      "/workspace/.ssh/id_rsa",
    ]);
  });

  it("forgets the values of an argument that has too many, whichever run they came from", () => {
    const ioctl = (values: string[]) => learn([], { syscalls: [{ name: "ioctl", arguments: [{ index: 1, values }] }] });
    const few = ioctl(["0x5401", "5413"]);
    expect(few.arguments).toEqual([{ call: "ioctl", index: 1, values: ["0x5401", "0x5413"] }]);
    const more = ioctl(Array.from({ length: 15 }, (_, i) => `0x${i}`));
    expect(mergeProfiles(few, more).arguments[0]?.values).toBeNull();
    expect(mergeProfiles(mergeProfiles(more, few), few).arguments[0]?.values).toBeNull();
  });

  it("is not made of names without end: random ones are one, and others are refused", () => {
    const random = learn(Array.from({ length: 100_000 }, (_, i) => `/tmp/tmp${(i * 7919).toString(36).padStart(8, "q")}`));
    expect(random.files).toHaveLength(1);
    const words = Array.from(
      { length: 6_000 },
      (_, i) =>
        `/workspace/${"abcdefghij"[i % 10]}${"klmnopqrst"[Math.floor(i / 10) % 10]}${"uvwxyzabcd"[Math.floor(i / 100) % 10]}${"efghijklmn"[Math.floor(i / 1000)]}/f`,
    );
    expect(() => learn(words)).toThrow("different names of files");
  });

  it("lets who makes a name read what stands under it", () => {
    const made = learn([], { files: [{ path: "/workspace/out", permissions: ["write", "create"] }] });
    expect(made.files).toEqual([{ path: "/workspace/out", permissions: ["read", "write"] }]);
  });
});
