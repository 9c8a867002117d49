import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Connection, openClient } from "../database/pool.ts";
import type { TestServer } from "./harness.ts";

type Answer = Awaited<ReturnType<TestServer["call"]>>;

/** A tenant's program, as it uses artifacts, scans and projects. */
export class TestClient {
  readonly server: TestServer;
  readonly key: string;
  constructor(server: TestServer, key: string) {
    this.server = server;
    this.key = key;
  }

  static async of(server: TestServer, tenant = "default"): Promise<TestClient> {
    return new TestClient(server, await server.key(["admin", "run", "read"], tenant));
  }

  call(method: string, path: string, body?: object): Promise<Answer> {
    return this.server.call(method, path, { key: this.key, ...(body ? { body } : {}) });
  }

  /** Its digest. */
  async upload(files: Record<string, string>): Promise<string> {
    return (await sendArchive(this.server.url, this.key, archiveOf(files))).body.digest;
  }

  /** Starts a scan and waits for its end; its id. */
  async scan(artifact: string, more: object = {}): Promise<string> {
    const { body } = await this.call("POST", "/v1/scans", { artifact, ...more });
    await this.ended(body.id);
    return body.id;
  }

  async ended(id: string): Promise<string> {
    return (await fetch(`${this.server.url}/v1/scans/${id}/events`, { headers: { authorization: `Bearer ${this.key}` } })).text();
  }

  run(project: string, artifact: string, entry = "main.js"): Promise<Answer> {
    return this.call("POST", "/v1/runs", { language: "nodejs", project, artifact, entry });
  }

  /** What was decided last. */
  async admission(project: string): Promise<Answer["body"]> {
    return (await this.call("GET", `/v1/projects/${project}/admissions`)).body.data[0];
  }
}

/** A tar.gz of these files, the same for the same. */
export function archiveOf(files: Record<string, string>): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "plastron-test-archive-"));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, "tree", path)), { recursive: true });
      writeFileSync(join(directory, "tree", path), content);
    }
    const archive = join(directory, "a.tar.gz");
    execFileSync("tar", ["czf", archive, "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-C", join(directory, "tree"), "."]);
    return readFileSync(archive);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export async function sendArchive(url: string, key: string, bytes: Uint8Array, name = "a.tar.gz") {
  const response = await fetch(`${url}/v1/artifacts?name=${encodeURIComponent(name)}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/octet-stream" },
    body: bytes as Uint8Array<ArrayBuffer>,
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
  return { status: response.status, body: (await response.json()) as any };
}

/** All events of a database whose type is like this, in order, whoever they belong to. */
export async function eventsIn(connection: Connection, type: string) {
  const client = await openClient(connection, () => {});
  const { rows } = await client.query("select tenant, type, subject, data from events where type like $1 order by seq", [type]);
  await client.end();
  // biome-ignore lint/suspicious/noExplicitAny: events of many shapes
  return rows as { tenant: string; type: string; subject: string; data: any }[];
}
