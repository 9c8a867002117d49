import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Repository } from "../../../test/fixtures/repository.ts";
import { plastron } from "../testing/command-line.ts";

/** A lock file with one package: lodash 4.17.15 has known weaknesses, 4.17.21 has none of those. */
const lock = (version: string) =>
  JSON.stringify({
    ...{ name: "shop", version: "1.0.0", lockfileVersion: 3 },
    packages: {
      "": { name: "shop", version: "1.0.0", dependencies: { lodash: version } },
      "node_modules/lodash": { version, integrity: `sha512-${"A".repeat(86)}==` },
    },
  });
const [WEAK, SOUND] = [{ "package-lock.json": lock("4.17.15") }, { "package-lock.json": lock("4.17.21") }];
/** What needs no analyser but the one that the tests are about. */
const POLICY = "version: 1\nrequired: [dependencies]\n";

let server: Repository;
let ann: Repository;

function install(policy?: string): Promise<{ code: number; said: string }> {
  const args = policy === undefined ? [] : ["--policy", join(ann.path, "server-policy.yaml")];
  if (policy !== undefined) writeFileSync(join(ann.path, "server-policy.yaml"), policy);
  return plastron("gate", "install-hook", server.path, ...args, "--force");
}

/** Pushes, and says whether the server took it and what it said. */
function push(...args: string[]): { taken: boolean; said: string } {
  const { status, stderr } = spawnSync("git", ["push", "-q", "origin", ...args], {
    cwd: ann.path,
    encoding: "utf8",
    env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_TERMINAL_PROMPT: "0" },
  });
  return { taken: status === 0, said: stderr.replace(/\s*\n(remote:)?\s+/g, " ") }; // as one line: the hook lays it out for its client
}

const branch = (name: string, files: Record<string, string>, from = "main") => {
  ann.git("checkout", "-q", "-B", name, from);
  return ann.commit(files);
};
const merge = (name: string) => {
  ann.git("checkout", "-q", "main");
  ann.git("merge", "-q", "--no-ff", "-m", `Merge ${name}`, name);
};

beforeEach(() => {
  server = Repository.made();
  server.remove();
  execFileSync("git", ["init", "-q", "--bare", "-b", "main", server.path]);
  ann = Repository.made();
  ann.git("remote", "add", "origin", server.path);
  ann.commit({ "README.md": "a shop", ...SOUND, ".plastron/gate.yaml": POLICY });
  expect(push("main").taken).toBe(true);
  return () => {
    server.remove();
    ann.remove();
  };
});

describe("without the hook", () => {
  test("anybody pushes anything to main", () => {
    branch("main", WEAK);
    expect(push("main").taken).toBe(true);
  });
});

describe("with the hook", { timeout: 120_000 }, () => {
  beforeEach(async () => {
    expect(await install()).toMatchObject({ code: 0 });
  });

  test("a branch of one's own takes anything, a merge that adds a weakness is refused with its reason and fix, and one without passes", () => {
    branch("feature", { ...WEAK, "a.js": "1" });
    expect(push("feature").taken).toBe(true);
    merge("feature");
    const refused = push("main");
    expect(refused.taken).toBe(false);
    expect(refused.said).toMatch(/DENIED/);
    expect(refused.said).toMatch(/lodash 4\.17\.15.*CVE-2021-23337/);
    expect(refused.said).toContain("npm install lodash@4.17.21");
    expect(server.git("rev-parse", "main")).not.toBe(ann.git("rev-parse", "main"));
    ann.git("reset", "-q", "--hard", "origin/main");
    branch("feature", SOUND, "feature");
    merge("feature");
    expect(push("main")).toMatchObject({ taken: true });
  });

  test("what stood there before does not stop a change", async () => {
    execFileSync("rm", [join(server.path, "hooks/pre-receive")]);
    branch("main", WEAK);
    expect(push("main").taken).toBe(true);
    await install();
    branch("feature", { "a.js": "1" });
    merge("feature");
    expect(push("main")).toMatchObject({ taken: true });
  });

  test("a commit does not enter main by itself, whatever it holds", () => {
    branch("main", { "a.js": "1" });
    const { taken, said } = push("main");
    expect([taken, said]).toEqual([false, expect.stringContaining("would enter it directly")]);
    expect(push("HEAD:main", "-f").taken).toBe(false);
    ann.git("push", "-q", "origin", "main:one"); // known to the server from another branch, it may be fast-forwarded
    expect(push("main").taken).toBe(true);
  });

  test("a merge with something put in by hand is judged by what it holds", () => {
    branch("feature", { "a.js": "1" });
    ann.git("checkout", "-q", "main");
    ann.git("merge", "-q", "--no-ff", "--no-commit", "feature");
    ann.commit(WEAK, "Merge feature");
    expect(push("main")).toMatchObject({ taken: false, said: expect.stringContaining("CVE-2021-23337") });
  });

  test("main is neither deleted nor rewritten, also beside other branches in one push", () => {
    branch("feature", { "a.js": "1" });
    expect(push(":main")).toMatchObject({ taken: false });
    expect(push("feature", ":main")).toMatchObject({ taken: false });
    ann.git("checkout", "-q", "--orphan", "other");
    ann.commit({ "b.js": "1" });
    expect(push("-f", "other:main")).toMatchObject({ taken: false, said: expect.stringContaining("cannot be rewritten") });
    expect(push("-f", "other:refs/heads/main")).toMatchObject({ taken: false });
    server.git("symbolic-ref", "refs/heads/alias", "refs/heads/main");
    expect(push("-f", "other:alias")).toMatchObject({ taken: false });
    expect(server.git("rev-parse", "main")).toBe(ann.git("rev-parse", "origin/main"));
  });

  test("a new protected branch is judged against the default branch", () => {
    branch("release/1", WEAK);
    expect(push("release/1")).toMatchObject({ taken: false, said: expect.stringContaining("CVE-2021-23337") });
    branch("release/2", { "a.js": "1" });
    expect(push("release/2")).toMatchObject({ taken: true });
  });

  test.each<[string, string]>([
    ["asks for less", "version: 1\nrequired: []\nnew: {severity: none}\nprotected: []\n"],
    ["is broken", "version: 1\nnwe: 1\n"],
  ])("a policy that comes with the change and %s changes nothing for it", (_, text) => {
    branch("feature", { ...WEAK, ".plastron/gate.yaml": text });
    merge("feature");
    expect(push("main")).toMatchObject({ taken: false, said: expect.stringContaining("CVE-2021-23337") });
  });

  test("the server's own policy counts before that of the repository, and is out of a push's reach", async () => {
    await install("version: 1\nrequired: [dependencies]\nnew: {severity: none}\n");
    branch("feature", WEAK);
    merge("feature");
    expect(push("main")).toMatchObject({ taken: true });
  });

  test("a policy on the default branch that cannot be read refuses all, and says where it is wrong", async () => {
    execFileSync("rm", [join(server.path, "hooks/pre-receive")]);
    branch("main", { ".plastron/gate.yaml": "version: 1\nnwe: 1\n" });
    push("main");
    await install();
    branch("feature", { "a.js": "1" });
    merge("feature");
    expect(push("main")).toMatchObject({ taken: false, said: expect.stringMatching(/line 2.*Did you mean \\?"new/) });
  });

  test("a hook that cannot run refuses", () => {
    const hook = join(server.path, "hooks/pre-receive");
    writeFileSync(hook, readFileSync(hook, "utf8").replace("/plastron'", "/no-such-plastron'"));
    branch("feature", { "a.js": "1" });
    merge("feature");
    expect(push("main").taken).toBe(false);
  });
});

describe("install-hook", () => {
  let other: Repository;
  beforeAll(() => {
    other = Repository.made();
  });
  afterAll(() => other.remove());

  test("does not overwrite somebody's hook, and refuses what is no repository or no policy", async () => {
    const hook = join(server.path, "hooks/pre-receive");
    writeFileSync(hook, "#!/bin/sh\nexit 0\n");
    expect(await plastron("gate", "install-hook", server.path)).toMatchObject({ code: 2, said: expect.stringContaining("is there already") });
    expect(readFileSync(hook, "utf8")).toBe("#!/bin/sh\nexit 0\n");
    expect(await plastron("gate", "install-hook", join(server.path, "objects"))).toMatchObject({ code: 2 });
    writeFileSync(join(other.path, "p.yaml"), "version: 1\nnwe: 1\n");
    expect(await plastron("gate", "install-hook", server.path, "--force", "--policy", join(other.path, "p.yaml"))).toMatchObject({ code: 2 });
    expect(readFileSync(hook, "utf8")).toBe("#!/bin/sh\nexit 0\n");
  });
});
