import { describe, expect, it } from "vitest";
import { lockNode, readManifest } from "./lock-node.ts";
import { lockPython } from "./lock-python.ts";
import { checkRequirements } from "./requirements.ts";

const SHA = "a".repeat(64);

describe("a lock of Python", () => {
  it("is the same whatever order and spelling it came in, and another for another interpreter", () => {
    const one = lockPython(
      JSON.stringify([
        { name: "B_c", version: "1", sha256: SHA },
        { name: "a", version: "2", sha256: SHA },
      ]),
      "python3 3.11",
    );
    const two = lockPython(
      JSON.stringify([
        { name: "a", version: "2", sha256: SHA },
        { name: "b-C", version: "1", sha256: SHA },
      ]),
      "python3 3.11",
    );
    expect(one.lock).toBe(`# python3 3.11\na==2 --hash=sha256:${SHA}\nb-c==1 --hash=sha256:${SHA}\n`);
    expect(two).toEqual(one);
    expect(lockPython(JSON.stringify([{ name: "a", version: "2", sha256: SHA }]), "python3 3.12").lock).not.toBe(one.lock);
  });

  it.each([
    "",
    "{}",
    "[]",
    '[{"name":"a\\n--index-url=x","version":"1","sha256":"SHA"}]',
    '[{"name":"a","version":"1 --pre","sha256":"SHA"}]',
    '[{"name":"a","version":"1","sha256":"x"}]',
  ])("is not made of %s", (said) => {
    expect(() => lockPython(said.replace("SHA", SHA), "base")).toThrow("cannot be read");
  });
});

describe("requirements", () => {
  it("are names, extras, versions, markers, hashes and comments", () => {
    const text = `numpy==1.26.4\n# comment\nPillow [x,y] >=9,<11 ; python_version >= "3.8"  # why\nfoo==1 \\\n    --hash=sha256:${SHA} \\\n    --hash=sha256:${SHA}\nbar~=1.0\n`;
    expect(checkRequirements(text)).toHaveLength(4);
  });

  it.each(["", "# nothing", "-r x", "a @ file:///x", "a; x --pre", "a==1 --config-settings=a", "a b", "$(id)", "a\\u0000"])("are not %o", (text) => {
    expect(() => checkRequirements(text)).toThrow();
  });
});

describe("a lock of npm", () => {
  const manifest = readManifest('{"dependencies":{"a":"^1"},"scripts":{"postinstall":"evil"}}');
  const entry = { version: "1.0.0", resolved: "https://mirror.test/a.tgz", integrity: "sha512-AAAA" };
  const lock = (packages: object) => JSON.stringify({ lockfileVersion: 3, packages: { "": {}, ...packages } });

  it("keeps what is installed and not where it came from, nor scripts of the caller", () => {
    const made = lockNode(lock({ "node_modules/a": entry, "node_modules/dev": { ...entry, dev: true } }), manifest, "nodejs v24");
    expect(made.lock).not.toMatch(/mirror|evil|dev/);
    expect(made.packages).toEqual([{ name: "a", version: "1.0.0", hash: "sha512-AAAA" }]);
    expect(JSON.parse(made.files["package.json"] as string)).toEqual({ name: "image", version: "1.0.0", private: true, dependencies: { a: "^1" } });
  });

  it.each([
    [{ "node_modules/a": { version: "1.0.0" } }, "integrity"],
    [{ "node_modules/a": { version: "1.0.0", integrity: "sha1-AAAA" } }, "digest"],
    [{ "node_modules/a": { ...entry, version: "file:../x" } }, "version"],
    [{ "node_modules/a": { resolved: "x", link: true } }, "version"],
    [{ "../a": entry }, "lies elsewhere"],
    [{ "node_modules/../a": entry }, "lies elsewhere"],
    [{ "packages/a": entry }, "lies elsewhere"],
  ])("is refused where it is %o", (packages, why) => {
    expect(() => lockNode(lock(packages), manifest, "base", "invalid_request")).toThrow(why);
  });

  it("is refused where it is of another version, or none", () => {
    for (const text of ["", "[]", '{"lockfileVersion":1,"dependencies":{}}']) expect(() => lockNode(text, manifest, "base")).toThrow("version 3");
  });
});
