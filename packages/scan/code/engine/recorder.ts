/** Everything that is seen in one file, before what matters of it is made plain JSON (`freeze.ts`). */
import type { KindMask } from "../kinds.ts";
import type { KnownSink } from "./knowledge.ts";
import type { Sym } from "./sym.ts";
import { DEEP, type Mode, moved, type Step, type Taint, type Value } from "./value.ts";

export interface Edge {
  readonly port: string;
  readonly path: string;
  readonly to: string;
  readonly toPath: string;
  readonly mode: Mode;
  mask: KindMask;
  readonly step: Step | null;
}

export interface Site {
  readonly id: number;
  readonly fn: number;
  readonly callee: Sym;
  readonly at: number;
  readonly end: number;
  given: readonly Value[];
}

export interface SinkSeen {
  readonly id: number;
  readonly known: KnownSink;
  readonly at: number;
  readonly end: number;
  readonly name: string;
  readonly fn: number;
}

export interface Seed {
  readonly fn: number;
  readonly index: number;
  readonly path: string;
  readonly source: number;
  readonly at: number;
  readonly end: number;
}

/** A file that says more than this is cut short, and the scan says so. */
const MAX_EDGES = 60_000;

export class Recorder {
  readonly edges = new Map<string, Edge>();
  readonly sites = new Map<string, Site>();
  readonly sinks = new Map<string, SinkSeen>();
  readonly sources = new Map<string, { id: number; source: number; at: number; end: number }>();
  readonly seeds = new Map<string, Seed>();
  readonly registrations: { callee: Sym; source: number }[] = [];
  readonly returns = new Map<number, Value>();
  full = false;

  source(source: number, at: number, end: number): string {
    const key = `${source}:${at}`;
    let seen = this.sources.get(key);
    if (seen === undefined) {
      seen = { id: this.sources.size, source, at, end };
      this.sources.set(key, seen);
    }
    return `S${seen.id}`;
  }

  /** Data gets to a sink: the kind's bit decides whether it can do harm there. */
  reaches(known: KnownSink, taints: readonly Taint[], place: { at: number; end: number }, name: string, fn: number): void {
    const dangerous = taints.filter(({ mask }) => (mask & known.kind) !== known.kind);
    if (dangerous.length === 0) return;
    const key = `${known.rule}:${known.index}:${place.at}`;
    let seen = this.sinks.get(key);
    if (seen === undefined) {
      seen = { id: this.sinks.size, known, at: place.at, end: place.end, name, fn };
      this.sinks.set(key, seen);
    }
    this.flows(known.sink.deep ? moved(dangerous, DEEP) : dangerous, `K${seen.id}`);
  }

  flows(taints: readonly Taint[], to: string, toPath = ""): void {
    for (const taint of taints) {
      const { port, path } = taint.atom;
      if (port === to && path === toPath) continue;
      const key = `${port}${path}>${to}${toPath}>${taint.mode}`;
      const known = this.edges.get(key);
      if (known !== undefined) known.mask &= taint.mask;
      else if (this.edges.size < MAX_EDGES) this.edges.set(key, { port, path, to, toPath, mode: taint.mode, mask: taint.mask, step: taint.step });
      else this.full = true;
    }
  }

  /** A value with its fields, down to some depth. */
  flowsWhole(value: Value, to: string, toPath = "", depth = 2): void {
    this.flows(value.taints, to, toPath);
    if (value.via.length > 0) this.flows(value.via, to, `${toPath}.%`);
    if (value.fields === null || depth === 0) return;
    for (const [name, field] of value.fields) this.flowsWhole(field, to, `${toPath}.${name.replaceAll(".", "·").slice(0, 60)}`, depth - 1);
  }

  site(fn: number, callee: Sym, at: number, end: number): Site {
    const key = `${at}:${end}`;
    let site = this.sites.get(key);
    if (site === undefined) {
      site = { id: this.sites.size, fn, callee, at, end, given: [] };
      this.sites.set(key, site);
    }
    return site;
  }

  seed(seed: Seed): void {
    this.seeds.set(`${seed.fn}:${seed.index}:${seed.path}:${seed.source}`, seed);
  }

  returned(fn: number, value: Value): void {
    this.flowsWhole(value, `Q${fn}`);
    const known = this.returns.get(fn);
    if (value.sym !== null || value.fields !== null) this.returns.set(fn, known ?? value);
  }
}
