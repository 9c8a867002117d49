import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A registry on this host's loopback, and what reached it. `broken`: what it does instead of answering for a path that has it. */
export interface LocalRegistry {
  port: number;
  readonly reached: string[];
  readonly broken: Map<string, "lies" | "hangs" | "truncates">;
  close(): Promise<void>;
}

/** PEP 503 over the archives of a directory. */
export function pythonIndex(directory: string): Promise<LocalRegistry> {
  return serve((path) => {
    const archives = readdirSync(directory);
    const [, kind, name = ""] = path.split("/");
    if (kind === "files") return archives.includes(decodeURIComponent(name)) ? readFileSync(join(directory, decodeURIComponent(name))) : undefined;
    const project = (file: string) =>
      file
        .replace(/-\d.*$/, "")
        .toLowerCase()
        .replace(/[-_.]+/g, "-");
    const links = archives
      .filter((file) => project(file) === name)
      .map((file) => {
        const sha256 = createHash("sha256")
          .update(readFileSync(join(directory, file)))
          .digest("hex");
        return `<a href="/files/${encodeURIComponent(file)}#sha256=${sha256}">${file}</a>`;
      });
    return kind === "simple" && links.length > 0 ? `<!DOCTYPE html><html><body>${links.join("\n")}</body></html>` : undefined;
  });
}

/** One version of a package of npm, with its files beside package.json. */
export interface NodePackage {
  name: string;
  version: string;
  manifest?: object;
  files: Record<string, string>;
}

/** A registry of npm with these packages. `host`: the name that it is asked by. */
export function nodeRegistry(packages: readonly NodePackage[], host: string): Promise<LocalRegistry> {
  const archives = new Map(packages.map((one) => [`${one.name}-${one.version}.tgz`, archiveOf(one)]));
  const versions = (name: string, port: number) =>
    packages
      .filter((one) => one.name === name)
      .map(({ version, manifest }) => {
        const file = `${name}-${version}.tgz`;
        const integrity = `sha512-${createHash("sha512")
          .update(archives.get(file) as Buffer)
          .digest("base64")}`;
        return [version, { name, version, ...manifest, dist: { tarball: `http://${host}:${port}/-/${encodeURIComponent(file)}`, integrity } }] as const;
      });
  return serve((path, port) => {
    const name = decodeURIComponent(path.slice(1));
    if (name.startsWith("-/")) return archives.get(name.slice(2));
    const found = versions(name, port);
    const latest = found.at(-1)?.[0];
    return latest === undefined ? undefined : { name, "dist-tags": { latest }, versions: Object.fromEntries(found) };
  });
}

function archiveOf({ name, version, manifest = {}, files }: NodePackage): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "plastron-package-"));
  for (const [path, content] of Object.entries({ ...files, "package.json": JSON.stringify({ name, version, ...manifest }) })) {
    mkdirSync(dirname(join(directory, "package", path)), { recursive: true });
    writeFileSync(join(directory, "package", path), content, { mode: content.startsWith("#!") ? 0o755 : 0o644 });
  }
  const archive = execFileSync("tar", ["-C", directory, "-czf", "-", "package"], { maxBuffer: 1 << 26 });
  rmSync(directory, { recursive: true });
  return archive;
}

async function serve(answer: (path: string, port: number) => string | Buffer | object | undefined): Promise<LocalRegistry> {
  const reached: string[] = [];
  const broken: LocalRegistry["broken"] = new Map();
  const sockets = new Set<{ destroy(): void }>();
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0] as string;
    reached.push(`${request.method} ${path}`);
    const how = [...broken].find(([part]) => path.includes(part))?.[1];
    if (how === "hangs") return;
    const found = answer(path, (server.address() as AddressInfo).port);
    if (found === undefined) return void response.writeHead(404).end("not here");
    const body = Buffer.isBuffer(found) ? found : Buffer.from(typeof found === "string" ? found : JSON.stringify(found));
    response.setHeader("content-type", Buffer.isBuffer(found) ? "application/octet-stream" : typeof found === "string" ? "text/html" : "application/json");
    if (how === "lies") return void response.end(Buffer.concat([body, Buffer.from("and more")]));
    if (how !== "truncates") return void response.end(body);
    response.setHeader("content-length", body.length);
    response.write(body.subarray(0, body.length >> 1));
    setTimeout(() => response.destroy(), 50);
  });
  server.on("connection", (socket) => void sockets.add(socket.once("close", () => sockets.delete(socket))));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    port: (server.address() as AddressInfo).port,
    reached,
    broken,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
