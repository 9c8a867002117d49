import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcp } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { zipOf } from "./archives/testing/zip.ts";
import { openArtifact } from "./open.ts";

let home: string;
const ends: (() => void)[] = [];
const set = (name: string, value: string) => {
  const before = process.env[name];
  process.env[name] = value;
  ends.push(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
};
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "plastron-fetched-test-"));
  mkdirSync(join(home, "tmp"));
  set("TMPDIR", join(home, "tmp"));
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
  rmSync(home, { recursive: true, force: true });
});
const scratches = () => readdirSync(tmpdir()).filter((name) => name.startsWith("plastron-fetch-"));
const present = (program: string, ...args: string[]) => {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

describe("a repository's address", () => {
  let port: number;
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", join(home, "repo"), "-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  const put = (path: string, content: string) => {
    mkdirSync(dirname(join(home, "repo", path)), { recursive: true });
    writeFileSync(join(home, "repo", path), content);
  };
  const url = () => `git://127.0.0.1:${port}/repo/.git`;

  beforeEach(async () => {
    mkdirSync(join(home, "repo"));
    git("init", "-q", "-b", "main");
    port = await freePort();
    const daemon = spawn("git", ["daemon", "--export-all", `--base-path=${home}`, "--listen=127.0.0.1", `--port=${port}`, "--reuseaddr", home], {
      stdio: "ignore",
      detached: true,
    });
    ends.push(() => process.kill(-(daemon.pid as number), "SIGKILL"));
    await listening(port);
  });

  test("is one commit of it, whatever .gitattributes, filters, links and submodules say", async () => {
    put("a.js", "BAD");
    put(".gitattributes", "a.js export-ignore\n*.bin filter=evil\n");
    put("x.bin", "as it is");
    symlinkSync("/etc/passwd", join(home, "repo/out"));
    git("config", "filter.evil.smudge", `touch ${home}/ran`);
    git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},module`);
    put(".gitmodules", '[submodule "module"]\n\tpath = module\n\turl = ext::sh -c "touch ran"\n');
    git("add", ".gitattributes", ".gitmodules", "a.js", "x.bin", "out");
    git("commit", "-qm", "one");
    const artifact = await openArtifact(url());
    expect(artifact.files.map(({ key }) => key)).toEqual([".gitattributes", ".gitmodules", "a.js", "x.bin"]);
    expect(artifact.ref).toMatchObject({ kind: "git", name: url(), revision: git("rev-parse", "HEAD") });
    expect(artifact.gaps.map(({ path, reason, matters }) => [path, reason, matters])).toEqual([
      ["module", "submodule", false],
      ["out", "symlink", true],
    ]);
    expect(scratches()).toHaveLength(1);
    await artifact.close();
    expect(scratches()).toEqual([]);
    expect(existsSync(join(home, "ran"))).toBe(false);
  });

  test("with a branch, a tag or a commit behind it", async () => {
    put("a.js", "1");
    git("add", "-A");
    git("commit", "-qm", "one");
    git("tag", "v1");
    put("a.js", "2");
    git("commit", "-qam", "two");
    for (const [revision, content] of [
      ["v1", "1"],
      ["main", "2"],
    ] as const) {
      const artifact = await openArtifact(`${url()}#${revision}`);
      expect(Buffer.from(await artifact.read(artifact.files[0]!)).toString()).toBe(content);
      await artifact.close();
    }
    await expect(openArtifact(`${url()}#nothing`)).rejects.toMatchObject({ code: "invalid_request" });
    expect(scratches()).toEqual([]);
  });

  test("with its history, where that is asked for", async () => {
    put("key", "once = 1");
    git("add", "-A");
    git("commit", "-qm", "one");
    put("key", "gone");
    git("commit", "-qam", "two");
    const artifact = await openArtifact(url(), { history: true });
    expect(artifact.files.filter(({ layers }) => layers[0]?.startsWith("commit:")).map(({ path }) => path)).toContain("key");
    await artifact.close();
  });

  test("is left when it is too large, takes too long or is stopped, and nothing stays", async () => {
    put("big", Buffer.from(Array.from({ length: 3_000_000 }, () => Math.floor(Math.random() * 256))).toString("base64"));
    git("add", "-A");
    git("commit", "-qm", "one");
    await expect(openArtifact(url(), { limits: { downloadBytes: 100_000 } })).rejects.toThrow(/larger than 100000 bytes/);
    const silent = createTcp(() => {}).listen(0, "127.0.0.1");
    await new Promise((done) => silent.once("listening", done));
    ends.push(() => silent.close());
    const quiet = `git://127.0.0.1:${(silent.address() as AddressInfo).port}/x`;
    await expect(openArtifact(quiet, { limits: { downloadMs: 700 } })).rejects.toThrow(/longer than 0.7 s/);
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("enough")), 300);
    await expect(openArtifact(quiet, { signal: stop.signal })).rejects.toThrow("enough");
    expect(scratches()).toEqual([]);
    expect(present("pgrep", "-f", `127.0.0.1:${(silent.address() as AddressInfo).port}`)).toBe(false);
  });

  test("a process that was killed leaves its download to the next one to remove", async () => {
    const dead = spawn("true");
    await new Promise((done) => dead.once("close", done));
    mkdirSync(join(home, `tmp/plastron-fetch-${dead.pid}-x`));
    mkdirSync(join(home, `tmp/plastron-fetch-${process.pid}-x`));
    await openArtifact("git://127.0.0.1:9/x").catch(() => {});
    expect(scratches()).toEqual([`plastron-fetch-${process.pid}-x`]);
  });

  test("never shows its password", async () => {
    const failed = await openArtifact("https://user:hush@127.0.0.1:9/x.git").catch((error: Error) => error.message);
    expect(failed).toContain("127.0.0.1:9/x.git");
    expect(failed).not.toContain("hush");
  });
});

describe("npm:NAME", () => {
  test("is what npm would fetch from where it is configured to, and runs none of it", { timeout: 60_000 }, async () => {
    const marks = ["preinstall", "install", "postinstall", "prepare", "prepack", "postpack"];
    const scripts = Object.fromEntries(marks.map((name) => [name, `touch ${home}/ran-${name}`]));
    const tarball = await tgz({ "package/package.json": JSON.stringify({ name: "evil", version: "1.2.3", scripts }), "package/lib/a.js": "BAD" });
    const server = await serve((path, origin) => {
      if (path.endsWith(".tgz")) return tarball;
      const dist = { tarball: `${origin}/evil.tgz`, integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}` };
      return JSON.stringify({ name: "evil", "dist-tags": { latest: "1.2.3" }, versions: { "1.2.3": { name: "evil", version: "1.2.3", scripts, dist } } });
    });
    set("npm_config_registry", server);
    set("npm_config_cache", join(home, "npm"));
    const artifact = await openArtifact("npm:evil");
    expect(artifact.ref).toMatchObject({ kind: "npm", name: "npm:evil@1.2.3", revision: "1.2.3" });
    expect(artifact.files.map(({ key }) => key)).toEqual(["lib/a.js", "package.json"]);
    await artifact.close();
    expect(readdirSync(home).filter((name) => name.startsWith("ran"))).toEqual([]);
    expect(scratches()).toEqual([]);
  });

  test("says so where there is none", { timeout: 60_000 }, async () => {
    set("npm_config_registry", await serve(() => null));
    set("npm_config_cache", join(home, "npm"));
    await expect(openArtifact("npm:nothing-of-this-name")).rejects.toThrow(/npm:nothing-of-this-name cannot be fetched: .*404/s);
    expect(scratches()).toEqual([]);
  });
});

describe.skipIf(!present("python3", "-m", "pip", "--version"))("pypi:NAME [needs: pip]", () => {
  const index = (...files: string[]) => files.map((name) => `<a href="/files/${name}">${name}</a>`).join("");

  test("is its wheel", { timeout: 60_000 }, async () => {
    const wheel = zipOf([
      { name: "evil/__init__.py", content: "BAD" },
      { name: "evil-2.0.dist-info/METADATA", content: "Metadata-Version: 2.1\nName: evil\nVersion: 2.0\n" },
      { name: "evil-2.0.dist-info/WHEEL", content: "Wheel-Version: 1.0\nTag: py3-none-any\n" },
      { name: "evil-2.0.dist-info/RECORD", content: "" },
    ]);
    const server = await serve((path) => (path.endsWith(".whl") ? wheel : index("evil-2.0-py3-none-any.whl")));
    set("PIP_INDEX_URL", `${server}/simple/`);
    set("PIP_NO_CACHE_DIR", "1");
    const artifact = await openArtifact("pypi:evil==2.0");
    expect(artifact.ref).toMatchObject({ kind: "archive", name: "pypi:evil==2.0", revision: "2.0" });
    expect(artifact.files.map(({ key }) => key)).toContain("evil/__init__.py");
    await artifact.close();
  });

  test("is refused where there is but a source distribution, whose setup.py pip would run", { timeout: 60_000 }, async () => {
    const source = await tgz({
      "evil-1.0/setup.py": `open(${JSON.stringify(join(home, "ran"))}, "w")\nfrom setuptools import setup\nsetup(name="evil", version="1.0")`,
      "evil-1.0/PKG-INFO": "Metadata-Version: 1.0\nName: evil\nVersion: 1.0\n",
    });
    const server = await serve((path) => (path.endsWith(".tar.gz") ? source : index("evil-1.0.tar.gz")));
    set("PIP_INDEX_URL", `${server}/simple/`);
    set("PIP_NO_CACHE_DIR", "1");
    await expect(openArtifact("pypi:evil")).rejects.toThrow(/pypi:evil cannot be fetched/);
    expect(existsSync(join(home, "ran"))).toBe(false);
  });
});

async function tgz(files: Record<string, string>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, content);
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive) parts.push(part as Buffer);
  return gzipSync(Buffer.concat(parts));
}

/** A registry of one package. */
async function serve(answer: (path: string, origin: string) => string | Buffer | null): Promise<string> {
  let origin = "";
  const server: Server = createServer((request, response) => {
    const body = answer(request.url ?? "", origin);
    if (body === null) return void response.writeHead(404).end("{}");
    const type = typeof body !== "string" ? "application/octet-stream" : body.startsWith("{") ? "application/json" : "text/html";
    response.writeHead(200, { "content-type": type }).end(body);
  }).listen(0, "127.0.0.1");
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((done) => server.once("listening", done));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return origin;
}

async function freePort(): Promise<number> {
  const server = createTcp().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function listening(port: number): Promise<void> {
  const { connect } = await import("node:net");
  for (let tries = 0; tries < 200; tries++) {
    const open = await new Promise<boolean>((done) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        done(true);
      });
      socket.on("error", () => done(false));
    });
    if (open) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("git daemon does not listen");
}
