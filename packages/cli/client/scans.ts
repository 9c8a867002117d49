import type { Readable } from "node:stream";
import type { AnalyserName, Coverage, Finding, GateDecision, ScanProgress, ScanResult } from "@plastron/contracts";
import { Failure } from "../failure.ts";
import type { Connection } from "./connection.ts";
import { type Request, send, sendForJson } from "./http.ts";
import { SseParser } from "./sse.ts";

export interface StoredArtifact {
  digest: string;
  kind: string;
  name: string;
  revision: string | null;
  files: number;
  bytes: number;
  created_at: string;
}
/** What the server fetches by itself. */
export type ArtifactSource = { git: string; revision?: string } | { npm: string } | { pypi: string };

export interface StoredScan {
  id: string;
  artifact: string;
  project: string | null;
  status: "queued" | "running" | "complete" | "incomplete" | "failed" | "cancelled";
  problem: { code: string; detail: string } | null;
  coverage?: Coverage | null;
}
export type StoredFinding = Finding & { scan: string; artifact: string; project: string | null };

export interface Project {
  name: string;
  admission: "open" | "passed";
  gate: string | null;
  environment: string | null;
  exemptions: string | null;
  updated_at: string;
  updated_by: string;
}
export interface Admission extends Pick<GateDecision, "decision" | "reasons"> {
  project: string;
  artifact: string;
  scan: string;
  valid_until: string | null;
  decided_at: string;
}
interface Page<T> {
  data: T[];
  next_cursor?: string | null;
}
type Query = Record<string, string | number | undefined>;

/** Typed calls about artifacts, scans, findings and projects, one method each. Every failure is a Failure with the server's own code, words and hint. */
export class ScanClient {
  readonly #connection: Connection;
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  upload(name: string, content: Readable, signal?: AbortSignal): Promise<StoredArtifact> {
    return this.#json({ method: "POST", path: `/v1/artifacts${search({ name })}`, content, ...(signal ? { signal } : {}) });
  }
  fetchArtifact(body: ArtifactSource, signal?: AbortSignal): Promise<StoredArtifact> {
    return this.#json({ method: "POST", path: "/v1/artifacts", body, ...(signal ? { signal } : {}) });
  }
  listArtifacts(query: Query): Promise<Page<StoredArtifact>> {
    return this.#json({ method: "GET", path: `/v1/artifacts${search(query)}` });
  }
  deleteArtifact(digest: string): Promise<unknown> {
    return this.#json({ method: "DELETE", path: `/v1/artifacts/${encodeURIComponent(digest)}` });
  }

  startScan(body: { artifact: string; analysers?: AnalyserName[]; project?: string }): Promise<StoredScan> {
    return this.#json({ method: "POST", path: "/v1/scans", body });
  }
  cancelScan(id: string): Promise<StoredScan> {
    return this.#json({ method: "POST", path: `/v1/scans/${encodeURIComponent(id)}/cancel`, body: {} });
  }
  /** As it is where it ended; `onProgress` hears of it until then. */
  async followScan(id: string, onProgress: (progress: ScanProgress) => void, signal: AbortSignal): Promise<StoredScan> {
    const path = `/v1/scans/${encodeURIComponent(id)}/events`;
    const reply = await send(this.#connection.url, { method: "GET", path, key: this.#connection.key, accept: "text/event-stream", signal });
    const parser = new SseParser();
    reply.setEncoding("utf8");
    for await (const chunk of reply) {
      for (const { event, data } of parser.push(chunk as string)) {
        if (event === "result") return JSON.parse(data) as StoredScan;
        const progress = JSON.parse(data) as Partial<ScanProgress>;
        if (event === "progress" && progress.phase !== undefined) onProgress(progress as ScanProgress);
      }
    }
    throw new Failure("internal", `the stream of the scan ${id} ended without a result`, { hint: `Ask again: GET ${path}` });
  }
  result(id: string): Promise<ScanResult> {
    return this.#json({ method: "GET", path: `/v1/scans/${encodeURIComponent(id)}/report?format=json` });
  }
  findings(query: Query): Promise<Page<StoredFinding>> {
    return this.#json({ method: "GET", path: `/v1/findings${search(query)}` });
  }

  putProject(name: string, body: Partial<Pick<Project, "admission" | "gate" | "environment" | "exemptions">>): Promise<Project> {
    return this.#json({ method: "PUT", path: `/v1/projects/${encodeURIComponent(name)}`, body });
  }
  getProject(name: string): Promise<Project> {
    return this.#json({ method: "GET", path: `/v1/projects/${encodeURIComponent(name)}` });
  }
  listProjects(): Promise<Page<Project>> {
    return this.#json({ method: "GET", path: "/v1/projects" });
  }
  deleteProject(name: string): Promise<unknown> {
    return this.#json({ method: "DELETE", path: `/v1/projects/${encodeURIComponent(name)}` });
  }
  admissions(name: string, query: Query): Promise<Page<Admission>> {
    return this.#json({ method: "GET", path: `/v1/projects/${encodeURIComponent(name)}/admissions${search(query)}` });
  }
  admit(name: string, artifact: string): Promise<Admission> {
    return this.#json({ method: "POST", path: `/v1/projects/${encodeURIComponent(name)}/admissions`, body: { artifact } });
  }

  #json<T>(request: Request): Promise<T> {
    return sendForJson(this.#connection.url, { ...request, key: this.#connection.key });
  }
}

function search(query: Query): string {
  const given = Object.entries(query).filter((pair): pair is [string, string | number] => pair[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}
