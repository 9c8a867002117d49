import { readSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { AnalyserName, Approvals } from "@plastron/contracts";
import type { Analyser, FileHead, KeptFacts, Look, Project, ScanFile } from "../analyser.ts";
import { decode } from "../intake/classify.ts";
import { encodeFrame } from "./frames.ts";
import type { Answer, FileOrder, Order, RawLook, WorkerSetup } from "./protocol.ts";

/**
 * The process that analysers run in: `worker.ts SETUP`. Orders come on descriptor 0, answers go to descriptor 3, both synchronously: there is no event loop
 * to keep awake, and an answer is out before the next order is read. It ends with descriptor 0.
 */
const IN = 0;
const OUT = 3;
const LARGEST_FACTS = 32 * 2 ** 20;
const LARGEST_KEPT = 64 * 2 ** 20;
const CHECKOUT = new URL("../../../", import.meta.url).href;
const UNWANTED: RawLook = { wanted: false, matches: [], gaps: [] };
const NO_FACTS = Buffer.alloc(0);

const setup = JSON.parse(process.argv[2] as string) as WorkerSetup;
const analysers = await load(setup);
const heads: FileHead[] = [];
const facts = new Map<AnalyserName, Map<string, unknown>>();
let approvals: Approvals | null = null;
if (analysers) serve(analysers);

async function load({ registry, config }: WorkerSetup): Promise<Map<AnalyserName, Analyser> | null> {
  try {
    const { loadAnalysers } = (await import(pathToFileURL(registry).href)) as { loadAnalysers: (config: unknown) => Promise<Analyser[]> };
    const list = await loadAnalysers(config);
    say({ type: "ready", versions: Object.fromEntries(list.map(({ name, version }) => [name, version])) });
    return new Map(list.map((analyser) => [analyser.name, analyser]));
  } catch (error) {
    say({ type: "broken", detail: wordsOf(error) });
    return null;
  }
}

function serve(all: Map<AnalyserName, Analyser>): void {
  for (let frame = receive(); frame !== null; frame = receive()) {
    const order = frame.head as Order;
    if (order.type === "file") lookAtFile(all, order.file, order.analysers, frame.body);
    else if (order.type === "head") heads.push(order.file);
    else if (order.type === "facts") factsOf(order.analyser).set(order.key, JSON.parse(frame.body.toString("utf8")));
    else if (order.type === "approvals") approvals = JSON.parse(frame.body.toString("utf8"));
    else if (order.type === "project") lookAtProject(all.get(order.analyser), order);
    else forget();
  }
}

function lookAtFile(all: Map<AnalyserName, Analyser>, order: FileOrder, names: readonly AnalyserName[], bytes: Buffer): void {
  const { encoding, ...rest } = order;
  let text: string | null | undefined;
  for (const name of names) {
    const analyser = all.get(name);
    if (!analyser) continue;
    answer(name, () => {
      const { sha256: _, ...head } = rest;
      if (!analyser.wants({ ...head, size: bytes.length })) return null;
      if (text === undefined) text = decode(bytes, encoding);
      const file: ScanFile = { ...rest, bytes, text };
      return analyser.file(file);
    });
  }
  say({ type: "done" });
}

function lookAtProject(analyser: Analyser | undefined, order: Order & { type: "project" }): void {
  const project: Project = { files: heads, facts: <Facts>(of: AnalyserName) => factsOf(of) as ReadonlyMap<string, Facts>, approvals };
  const leans = () => (order.keep ? leaned(analyser?.leansOn?.(project)) : NO_FACTS);
  answer(order.analyser, () => analyser?.project?.(project) ?? null, leans);
  say({ type: "done" });
}

/** Two lines each: whose it is, and the facts. Nothing where it is more than anybody would keep. */
function leaned(facts: readonly KeptFacts[] | undefined): Buffer {
  const lines: string[] = [];
  let size = 0;
  for (const { analyser, key, facts: body } of facts ?? []) {
    const [head, line] = [JSON.stringify({ analyser, key }), JSON.stringify(body)];
    size += line.length;
    if (size > LARGEST_KEPT) return NO_FACTS;
    lines.push(head, line);
  }
  return Buffer.from(facts === undefined ? "" : `${lines.join("\n")}\n`);
}

/** Tells what is begun first: if this process dies in it, the parent knows in what. A throw is a fault of ours, and costs this look alone. */
function answer(analyser: AnalyserName, work: () => Look<unknown> | null, more?: () => Buffer): void {
  say({ type: "began", analyser });
  const before = process.cpuUsage();
  const { look, facts } = looked(work);
  const { user, system } = process.cpuUsage(before);
  say({ type: "looked", analyser, ms: (user + system) / 1000, ...look }, more?.() ?? facts);
}

function looked(work: () => Look<unknown> | null): { look: RawLook; facts: Buffer } {
  try {
    const said = work();
    if (said === null) return { look: UNWANTED, facts: NO_FACTS };
    const look = {
      wanted: true,
      matches: said.matches,
      gaps: said.gaps,
      ...(said.sbom ? { sbom: said.sbom } : {}),
      ...(said.offers ? { offers: said.offers } : {}),
    };
    return withinReason(look, said.facts === null ? NO_FACTS : Buffer.from(JSON.stringify(said.facts)));
  } catch (error) {
    return { look: { wanted: true, matches: [], gaps: [{ kind: "failed", reason: "exception", detail: wordsOf(error), matters: true }] }, facts: NO_FACTS };
  }
}

/** Facts of all files together have to fit into one worker. */
function withinReason(look: RawLook, facts: Buffer): { look: RawLook; facts: Buffer } {
  if (facts.length <= LARGEST_FACTS) return { look, facts };
  const detail = `${facts.length} bytes of facts: it was not joined with other files`;
  return { look: { ...look, gaps: [...look.gaps, { kind: "degraded", reason: "facts_too_large", detail, matters: true }] }, facts: NO_FACTS };
}

function forget(): void {
  heads.length = 0;
  facts.clear();
  approvals = null;
}

function factsOf(analyser: AnalyserName): Map<string, unknown> {
  const found = facts.get(analyser) ?? new Map<string, unknown>();
  facts.set(analyser, found);
  return found;
}

function wordsOf(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message).split("\n").slice(0, 3).join(" ") : String(error);
  return text.replaceAll(CHECKOUT, "").slice(0, 400);
}

function say(message: Answer, body?: Uint8Array): void {
  for (const piece of encodeFrame(message, body)) for (let at = 0; at < piece.length; ) at += writeSync(OUT, piece, at);
}

function receive(): { head: unknown; body: Buffer } | null {
  const lengths = readExactly(8);
  if (lengths === null) return null;
  const head = readExactly(lengths.readUInt32LE(0));
  const body = readExactly(lengths.readUInt32LE(4));
  return head === null || body === null ? null : { head: JSON.parse(head.toString("utf8")), body };
}

function readExactly(length: number): Buffer | null {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let at = 0; at < length; ) {
    const got = readSync(IN, bytes, at, length - at, null);
    if (got === 0) return null;
    at += got;
  }
  return bytes;
}
