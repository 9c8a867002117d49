import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { plastron } from "../testing/command-line.ts";
import { TEMPLATE_NAMES } from "./template.ts";

let root: string;
let own: string;
const before = process.env.PLASTRON_HOME;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "plastron-rules-"));
  own = join(root, "rules");
  process.env.PLASTRON_HOME = join(root, "home");
  return () => {
    if (before === undefined) delete process.env.PLASTRON_HOME;
    else process.env.PLASTRON_HOME = before;
    rmSync(root, { recursive: true });
  };
});

const newRule = (name: string, template = "python") => plastron("rules", "new", name, "--template", template, "--directory", own);
const edit = (path: string, from: string | RegExp, to: string) =>
  writeFileSync(
    path,
    readFileSync(path, "utf8").replace(from, () => to),
  );

describe("a rule of one's own", () => {
  test.each(TEMPLATE_NAMES)("made from the template %s passes its own test as it is", async (template) => {
    expect((await newRule("mine", template)).code).toBe(0);
    const { code, said } = await plastron("rules", "test", own);
    expect(said).toContain("1 of 1 rules passed.");
    expect(code).toBe(0);
  });

  test("fails its test where it finds too little, too much, or is not valid; with the line", async () => {
    await newRule("mine");
    const path = join(own, "code/python/mine.yaml");
    edit(path, 'pattern: "legacy.connect($$$)"', 'pattern: "nothing($$$)"');
    expect(await plastron("rules", "test", path)).toMatchObject({ code: 1, said: expect.stringContaining("code/python/mine.yaml: bad[0] is not found") });
    edit(path, 'pattern: "nothing($$$)"', 'pattern: "$X.connect($$$)"');
    expect(await plastron("rules", "test", path)).toMatchObject({ code: 1, said: expect.stringContaining("ok[0] is found, at line 1") });
    edit(path, "severity:", "severty:");
    expect(await plastron("rules", "test", path)).toMatchObject({
      code: 1,
      said: expect.stringMatching(/code\/python\/mine\.yaml:4:1 .*Did you mean "severity"/),
    });
  });

  test("is refused for an expression that hostile text makes slow, and for a pattern that the matcher does not take", async () => {
    await newRule("slow", "taint");
    edit(join(own, "code/python/slow.yaml"), "words: the legacy runner", 'unless_prefix: "^(a+)+$", words: x');
    expect(await plastron("rules", "test", own)).toMatchObject({ code: 1, said: expect.stringContaining("exponential time on hostile text") });
    await newRule("odd");
    edit(join(own, "code/python/odd.yaml"), /rule: .*/, "rule: { kind: no_such_thing }");
    expect(await plastron("rules", "test", join(own, "code/python/odd.yaml"))).toMatchObject({
      code: 1,
      said: expect.stringContaining("Kind `no_such_thing` is invalid"),
    });
  });

  test("is refused where it is slower than it says", async () => {
    await newRule("mine");
    edit(join(own, "code/python/mine.yaml"), /budget_ms: \d+/, "budget_ms: 1");
    expect(await plastron("rules", "test", own)).toMatchObject({ code: 1, said: expect.stringMatching(/takes \d+ ms for a megabyte.* budget_ms is 1/) });
  });

  test("may not leave its folder, be overwritten, or stand where none is looked for", async () => {
    await newRule("mine");
    expect((await newRule("mine")).code).toBe(2);
    expect((await newRule("../mine")).code).toBe(2);
    mkdirSync(join(own, "elsewhere"));
    writeFileSync(join(own, "elsewhere/a.yaml"), "id: a\n");
    expect(await plastron("rules", "test", own)).toMatchObject({ code: 1, said: expect.stringContaining("stand below code/") });
  });

  test("behind a link is not read", async () => {
    await newRule("mine");
    symlinkSync("/etc", join(own, "code/etc"));
    symlinkSync("/etc/passwd", join(own, "code/python/passwd.yaml"));
    expect(await plastron("rules", "test", own)).toMatchObject({ code: 0, said: expect.stringContaining("1 of 1 rules passed.") });
  });
});

describe("a pack", () => {
  let server: Server;
  let url: string;
  let served: string;
  let status = 200;
  let key: string;

  beforeEach(async () => {
    status = 200;
    server = createServer((_, response) => response.writeHead(status).end(served));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/acme.json`;
    await newRule("mine");
    key = (await plastron("rules", "keygen", "--output", join(root, "key.pem"))).said.split("\n")[0] as string;
    served = await sealed(3);
  });
  afterEach(() => new Promise((done) => server.close(done)));

  async function sealed(version: number, more: string[] = []): Promise<string> {
    const output = join(root, `acme-${version}.json`);
    const { code, said } = await plastron(
      "rules",
      "sign",
      own,
      "--key",
      join(root, "key.pem"),
      "--name",
      "acme",
      "--version",
      String(version),
      "--output",
      output,
      ...more,
    );
    expect(said).toContain(`acme version ${version}`);
    expect(code).toBe(0);
    return readFileSync(output, "utf8");
  }
  const scanned = async (text = 'legacy.connect("db")\n') => {
    mkdirSync(join(root, "tree"), { recursive: true });
    writeFileSync(join(root, "tree/a.py"), text);
    return plastron("scan", join(root, "tree"), "--analysers", "code", "--no-cache", "--format", "json");
  };

  test("by address and key is used by scans, which fetch nothing", async () => {
    expect((await scanned()).said).not.toContain("code/python/mine");
    expect((await plastron("rules", "add", url, "--key", key)).code).toBe(0);
    await new Promise((done) => server.close(done));
    expect((await scanned()).said).toContain("code/python/mine");
    expect((await plastron("rules", "list")).said).toMatch(/code\/python\/mine +medium +acme/);
    expect((await plastron("rules", "remove", "acme")).code).toBe(0);
    expect((await scanned()).said).not.toContain("code/python/mine");
    expect(readdirSync(join(root, "home/rules/folders"))).toEqual([]);
  });

  test("that is a folder is read as it is at each scan", async () => {
    expect((await plastron("rules", "add", own, "--name", "here")).code).toBe(0);
    expect((await scanned()).said).toContain("code/python/mine");
    edit(join(own, "code/python/mine.yaml"), "severity: medium", "severity: high");
    expect((await scanned()).said).toContain('"severity": "high"');
  });

  test.each<[string, (text: string) => string, RegExp]>([
    ["tampered with", (text) => text.replace("legacy.connect($$$)", "harmless($$$)"), /tampered/],
    ["cut short", (text) => text.slice(0, -100), /malformed/],
    ["another's", (text) => text.replace(/"sig": "..../, '"sig": "AAAA'), /wrong_key/],
  ])("that is %s is refused by name", async (_, change, why) => {
    served = change(served);
    const { code, said } = await plastron("rules", "add", url, "--key", key);
    expect(said).toMatch(why);
    expect(said).toContain("[untrusted_rules]");
    expect(code).toBe(2);
    expect((await plastron("rules", "packs")).said).toBe("");
  });

  test("needs a key, and the right one", async () => {
    expect((await plastron("rules", "add", url)).said).toContain("needs --key");
    const other = (await plastron("rules", "keygen", "--output", join(root, "other.pem"))).said.split("\n")[0] as string;
    expect((await plastron("rules", "add", url, "--key", other)).said).toMatch(/wrong_key/);
    expect(statSync(join(root, "key.pem")).mode & 0o777).toBe(0o600);
  });

  test("goes forward and never back, and keeps what it has where the new one is refused", async () => {
    await plastron("rules", "add", url, "--key", key);
    served = await sealed(4);
    expect(await plastron("rules", "update")).toMatchObject({ code: 0, said: expect.stringContaining("version 4") });
    served = await sealed(2);
    expect(await plastron("rules", "update", "acme")).toMatchObject({ code: 1, said: expect.stringContaining("downgrade") });
    served = "no JSON";
    expect(await plastron("rules", "update", "acme")).toMatchObject({ code: 1, said: expect.stringContaining("malformed") });
    status = 500;
    expect(await plastron("rules", "update", "acme")).toMatchObject({ code: 1, said: expect.stringContaining("answers 500") });
    expect((await scanned()).said).toContain("code/python/mine");
  });

  test("that endless bytes come for is given up", async () => {
    server.removeAllListeners("request");
    server.on("request", (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    });
    expect((await plastron("rules", "add", url, "--key", key)).said).toContain("too_large");
  });

  test("that somebody changed on this disk ends a scan with its name; what was unpacked of it is made anew", async () => {
    await plastron("rules", "add", url, "--key", key);
    const entry = join(root, "home/rules/packs/acme.json");
    const good = readFileSync(entry, "utf8");
    edit(entry, "legacy.connect($$$)", "harmless($$$)");
    expect(await scanned()).toMatchObject({ code: 2, said: expect.stringMatching(/rule pack acme is not used: .*tampered/) });
    writeFileSync(entry, good);
    expect((await scanned()).said).toContain("code/python/mine");
    const [folder] = readdirSync(join(root, "home/rules/folders"));
    writeFileSync(join(root, "home/rules/folders", folder as string, "code/python/mine.yaml"), "id: x\n");
    expect((await scanned()).said).toContain("code/python/mine");
  });
});
