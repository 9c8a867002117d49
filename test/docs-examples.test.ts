/** Runs the examples of the documentation word for word, page by page, in an empty directory beside a started Plastron. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Example, examples, pages, readPage, root } from "./fixtures/markdown.ts";

const hasCurl = spawnSync("curl", ["--version"]).status === 0;
/** Packages of the guide come from the archives that python3-venv brings: no registry is needed. */
const LOCAL_PACKAGES = { PIP_CONFIG_FILE: "/dev/null", PIP_NO_INDEX: "1", PIP_FIND_LINKS: "/usr/share/python-wheels" };
const withExamples = pages().filter((page) => examples(readPage(page)).length > 0);
let directory: string;
let port: number;
let env: NodeJS.ProcessEnv;

describe.runIf(hasCurl)("examples of the documentation [needs: curl]", () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "plastron-docs-"));
    port = await freePort();
    const key = `docs-${crypto.randomUUID()}`;
    env = {
      ...process.env,
      PLASTRON_HOME: join(directory, "home"),
      PLASTRON_PORT: String(port),
      PLASTRON_ADMIN_KEY: key,
      KEY: key,
      NO_COLOR: "1",
      ...LOCAL_PACKAGES,
    };
    execFileSync(join(root, "plastron"), ["up", "--detach"], { env, stdio: ["ignore", "ignore", "pipe"] });
  }, 120_000);
  afterAll(() => {
    spawnSync(join(root, "plastron"), ["down"], { env });
    rmSync(directory, { recursive: true, force: true });
  });

  test.each(withExamples)(
    "%s",
    (page) => {
      const work = join(directory, page.replaceAll("/", "-"));
      mkdirSync(work);
      for (const name of ["plastron", "policies"]) symlinkSync(join(root, name), join(work, name));
      for (const example of examples(readPage(page))) runExample(page, example, work);
    },
    120_000,
  );
});

function runExample(page: string, { line, script, expected }: Example, cwd: string): void {
  // The pages name the default port; the tests may not take it from somebody.
  const here = script.replaceAll("127.0.0.1:7300", `127.0.0.1:${port}`);
  const { status, stdout, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", here], { cwd, env, encoding: "utf8" });
  const output = `${stdout}${stderr}`;
  expect(status, `${page}:${line} ended with ${status}:\n${output}`).toBe(0);
  for (const text of expected) expect(output, `${page}:${line}`).toContain(text);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
