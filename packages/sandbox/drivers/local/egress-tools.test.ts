import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS, networkRequestSchema, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault, networkSeed, withNetwork } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { bench } from "../../testing/harness.ts";
import { hasPythonModule } from "../../testing/installed.ts";
import { TOOLS_HOST, type ToolServers, toolServers } from "../../testing/tool-servers.ts";
import { openLocalDriver } from "./index.ts";

const isRoot = process.getuid?.() === 0;
const home = mkdtempSync(join(tmpdir(), "plastron-egress-tools-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const limits = { ...DEFAULT_LIMITS, wall_ms: 60_000, memory_bytes: 1 << 30, pids: 200 };
const seed = networkSeed(compileDefault(TYPICAL_HOST));

interface Tool {
  title: string;
  has: boolean;
  /** Fetches below $BASE; prints what it got. Unchanged programs, with nothing told of a proxy. */
  script: string;
  got: string;
  /** What its user sees where the name is not allowed, and where the path is not. */
  unnamed: RegExp;
  refused: RegExp;
}

const python = (code: string) => `python3 - <<'PY'\nimport os\nBASE = os.environ['BASE']\n${code}\nPY`;
const hasModule = (name: string) => isRoot && hasPythonModule(name);
const node = (code: string) => `node --input-type=module - <<'JS'\nconst BASE = process.env.BASE;\n${code}\nJS`;
const RULE = /network\.allow/;

const TOOLS: Tool[] = [
  {
    title: "[needs: curl] curl",
    has: existsSync("/usr/bin/curl"),
    script: "curl -sS $BASE/page",
    got: "hello from a page",
    unnamed: /Could not resolve host: tools.test/,
    refused: RULE,
  },
  {
    title: "Python's urllib",
    has: true,
    script: python(
      "import urllib.request, urllib.error\ntry: print(urllib.request.urlopen(BASE + '/page').read().decode())\nexcept urllib.error.HTTPError as e: print(e.code, e.read().decode())",
    ),
    got: "hello from a page",
    unnamed: /Name or service not known/,
    refused: RULE,
  },
  {
    title: "[needs: python3-requests] Python's requests",
    has: hasModule("requests"),
    script: python("import requests\nprint(requests.get(BASE + '/page').text)"),
    got: "hello from a page",
    unnamed: /Name or service not known/,
    refused: RULE,
  },
  {
    title: "[needs: python3-httpx] Python's httpx",
    has: hasModule("httpx"),
    script: python("import httpx\nprint(httpx.get(BASE + '/page').text)"),
    got: "hello from a page",
    unnamed: /Name or service not known/,
    refused: RULE,
  },
  {
    title: "Node's fetch",
    has: true,
    script: node("console.log(await (await fetch(`${BASE}/page`)).text());"),
    got: "hello from a page",
    unnamed: /ENOTFOUND tools.test/,
    refused: RULE,
  },
  {
    title: "Node's https",
    has: true,
    script: node("import { get } from 'node:https';\nget(`${BASE}/page`, (r) => r.pipe(process.stdout));"),
    got: "hello from a page",
    unnamed: /ENOTFOUND tools.test/,
    refused: RULE,
  },
  {
    title: "[needs: git] git clone, of files",
    has: existsSync("/usr/bin/git"),
    script: "git clone -q $BASE/dumb/repo.git && cat repo/hello.txt",
    got: "hello from git",
    unnamed: /Could not resolve host: tools.test/,
    refused: /returned error: 403/,
  },
  {
    title: "[needs: git] git clone, from a server that speaks git",
    has: existsSync("/usr/bin/git"),
    script: "git clone -q --depth 1 $BASE/smart/repo.git && cat repo/hello.txt",
    got: "hello from git",
    unnamed: /Could not resolve host: tools.test/,
    refused: /returned error: 403/,
  },
  {
    title: "[needs: python3-pip] pip install",
    has: hasModule("pip"),
    script:
      "pip install --disable-pip-version-check --retries 1 --no-cache-dir --target lib --index-url $BASE/simple plastron-hello && PYTHONPATH=lib python3 -c 'import plastron_hello; print(plastron_hello.word)'",
    got: "hello from pip",
    unnamed: /Name or service not known/,
    refused: /403 Client Error|No matching distribution/,
  },
  {
    title: "[needs: npm] npm install",
    has: existsSync("/usr/bin/npm"),
    script:
      "npm install --silent --fetch-retries=0 --no-audit --no-fund --registry $BASE/npm plastron-hello || npm install --fetch-retries=0 --no-audit --no-fund --registry $BASE/npm plastron-hello; node -p 'require(\"plastron-hello\")'",
    got: "hello from npm",
    unnamed: /ENOTFOUND/,
    refused: /403/,
  },
];

describe.runIf(isRoot)("[needs: root] ordinary tools in a run that asked for a network", () => {
  let servers: ToolServers;
  let driver: SandboxDriver;
  beforeAll(async () => {
    servers = await toolServers();
    driver = await openLocalDriver({ home, egress: servers.egress });
  });
  afterAll(async () => {
    await driver.close();
    await servers.close();
  });

  const run = async (entry: object, script: string, before = "") => {
    const { confinement } = withNetwork(seed, networkRequestSchema.parse({ allow: [{ ports: [servers.port], ...entry }] }), [], TYPICAL_HOST);
    const url = `https://${TOOLS_HOST}:${servers.port}/ok`;
    const files = [{ path: "ca.crt", content: servers.certificate, encoding: "utf8" as const, executable: false }];
    const ran = await bench(driver, confinement).bash(
      `export BASE=${url}\n${before}\n{ ${script}
} 2>&1`,
      { limits, files },
    );
    return `${ran.stdout}${ran.stderr}`;
  };
  /** The server's certificate is one of the test's own, as no server outside has: here the program's user trusts it. */
  const TRUSTING = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT"]
    .map((name) => `export ${name}=$PWD/ca.crt`)
    .join("\n");

  for (const tool of TOOLS) {
    describe.skipIf(!tool.has)(tool.title, () => {
      it("gets what is allowed, with its TLS passed as it is", async () => {
        expect(await run({ domains: [TOOLS_HOST] }, tool.script, TRUSTING)).toContain(tool.got);
      });
      it("gets what is allowed, with its TLS ended by the proxy, trusting it without being told", async () => {
        expect(await run({ domains: [TOOLS_HOST], paths: ["/ok/*"] }, tool.script)).toContain(tool.got);
      });
      it("is told that a name that is not listed does not exist", async () => {
        const said = await run({ domains: ["other.test"] }, tool.script);
        expect(said).toMatch(tool.unnamed);
        expect(said).not.toContain(tool.got);
      });
      it("is refused a path that is not listed, and nothing of it arrives", async () => {
        const before = servers.reached.length;
        const said = await run({ domains: [TOOLS_HOST], paths: ["/other/*"] }, tool.script);
        expect(said).toMatch(tool.refused);
        expect(said).not.toContain(tool.got);
        expect(servers.reached.length).toBe(before);
      });
    });
  }
});
