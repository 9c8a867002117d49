import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { createGunzip } from "node:zlib";
import { Authority } from "@plastron/egress";
import type { EgressOptions } from "../driver.ts";

export const TOOLS_HOST = "tools.test";
const COMMAND = [process.execPath, fileURLToPath(new URL("../../egress/main.ts", import.meta.url))];

/**
 * What ordinary tools fetch from, over HTTPS on this host's loopback: git repositories (both ways that git clones), a Python index with
 * a wheel, an npm registry with a tarball, and a page. Whatever the first part of a path is, the rest is served: `/ok/…`, `/no/…`.
 */
export interface ToolServers {
  port: number;
  /** `METHOD path`, of requests that got here. */
  reached: string[];
  /** The certificate that stands behind the server, PEM: what a program must trust where nobody ends its TLS. */
  certificate: string;
  egress: EgressOptions;
  close(): Promise<void>;
}

export async function toolServers(): Promise<ToolServers> {
  const place = mkdtempSync(join(tmpdir(), "plastron-tools-"));
  makeThings(place);
  const authority = new Authority(null);
  const reached: string[] = [];
  const server = createServer({ SNICallback: (name, done) => done(null, authority.contextOf(name)) }, (request, response) => {
    reached.push(`${request.method} ${request.url}`);
    answer(place, request, response);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    port: (server.address() as AddressInfo).port,
    reached,
    certificate: authority.pem.certificate,
    egress: { command: COMMAND, hosts: { [TOOLS_HOST]: "127.0.0.1" }, trust: [authority.pem.certificate] },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      rmSync(place, { recursive: true, force: true });
    },
  };
}

const NAME = "plastron-hello";

/** A repository with one file, a wheel and a package that say hello. */
function makeThings(place: string): void {
  const run = (command: string, args: string[], cwd = place) => execFileSync(command, args, { cwd, stdio: "pipe", env: { ...process.env, ...GIT } });
  mkdirSync(join(place, "work"));
  writeFileSync(join(place, "work/hello.txt"), "hello from git\n");
  run("git", ["init", "-q", "-b", "main"], join(place, "work"));
  run("git", ["add", "."], join(place, "work"));
  run("git", ["commit", "-q", "-m", "first"], join(place, "work"));
  run("git", ["clone", "-q", "--bare", "work", "repo.git"]);
  run("git", ["update-server-info"], join(place, "repo.git"));
  run("/usr/bin/python3", ["-c", WHEEL, join(place, `${NAME.replace("-", "_")}-1.0-py3-none-any.whl`)]);
  mkdirSync(join(place, "npm/package"), { recursive: true });
  writeFileSync(join(place, "npm/package/package.json"), JSON.stringify({ name: NAME, version: "1.0.0", main: "index.js" }));
  writeFileSync(join(place, "npm/package/index.js"), "module.exports = 'hello from npm';\n");
  run("tar", ["czf", "npm.tgz", "-C", "npm", "package"]);
}

const GIT = {
  ...{ GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@b.test", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@b.test" },
  ...{ GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" },
};

const WHEEL = `
import sys, zipfile
info = "plastron_hello-1.0.dist-info"
files = {"plastron_hello.py": "word = 'hello from pip'\\n", f"{info}/METADATA": "Metadata-Version: 2.1\\nName: plastron-hello\\nVersion: 1.0\\n",
         f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
files[f"{info}/RECORD"] = "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"])
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    for name, text in files.items(): wheel.writestr(name, text)
`;

function answer(place: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", `https://${request.headers.host}`);
  const [, root = "", ...parts] = url.pathname.split("/");
  const path = parts.join("/");
  const base = `https://${request.headers.host}/${root}`;
  const send = (type: string, body: string | Buffer) => response.writeHead(200, { "content-type": type }).end(body);
  if (path === "page") send("text/plain", "hello from a page\n");
  else if (path.startsWith("smart/repo.git/")) smart(join(place, "repo.git"), url, request, response);
  else if (path.startsWith("dumb/repo.git/")) sendFile(join(place, "repo.git"), path.slice("dumb/repo.git/".length), response);
  else if (path === `simple/${NAME}/`) send("text/html", `<a href="${base}/files/plastron_hello-1.0-py3-none-any.whl">plastron_hello-1.0-py3-none-any.whl</a>`);
  else if (path.startsWith("files/")) sendFile(place, path.slice("files/".length), response);
  else if (path === `npm/${NAME}`) send("application/json", JSON.stringify(manifest(`${base}/files/npm.tgz`)));
  else response.writeHead(404).end();
}

function manifest(tarball: string): object {
  return { name: NAME, "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0": { name: NAME, version: "1.0.0", main: "index.js", dist: { tarball } } } };
}

function sendFile(root: string, path: string, response: ServerResponse): void {
  try {
    response.writeHead(200).end(readFileSync(join(root, normalize(`/${path}`))));
  } catch {
    response.writeHead(404).end();
  }
}

/** The protocol of `git upload-pack` over HTTP: an announcement, then one exchange for each request. */
function smart(repository: string, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const announces = url.pathname.endsWith("/info/refs");
  const kind = announces ? "advertisement" : "result";
  response.writeHead(200, { "content-type": `application/x-git-upload-pack-${kind}`, "cache-control": "no-cache" });
  if (announces) response.write("001e# service=git-upload-pack\n0000");
  const env = { ...process.env, ...GIT, GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""), HOME: "/nonexistent" };
  const args = ["-c", "safe.directory=*", "upload-pack", "--stateless-rpc", ...(announces ? ["--advertise-refs"] : []), repository];
  const git = spawn("git", args, { env, stdio: ["pipe", "pipe", "ignore"] });
  const body = request.headers["content-encoding"] === "gzip" ? request.pipe(createGunzip()) : request;
  body.pipe(git.stdin);
  git.stdin.on("error", () => {});
  git.stdout.pipe(response);
}
