import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

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
