import { SUPPORTED_ECOSYSTEMS } from "../versions/ecosystems.ts";
import type { Advisory } from "./advisory.ts";
import { type EcosystemPages, type Exploitation, type IndexManifest, type IndexSource, makePages, sha256 } from "./index-format.ts";
import { parseOsv } from "./osv.ts";

export interface Compiled {
  readonly id: string;
  /** Canonical bytes: what is signed. */
  readonly manifest: Uint8Array;
  /** By sha256. */
  readonly pages: ReadonlyMap<string, Uint8Array>;
}

export interface CompileOptions {
  readonly built_at: string;
  readonly sequence: number;
  readonly seed?: boolean;
  readonly sources?: readonly IndexSource[];
  /** By CVE. */
  readonly exploitation?: ReadonlyMap<string, Exploitation>;
}

/** Documents of OSV as an index. Equal documents and options give equal bytes. What says nothing is counted, never silently lost. */
export function compileAdvisories(documents: Iterable<unknown>, options: CompileOptions): Compiled {
  const compiler = new Compiler();
  for (const document of documents) compiler.add(document);
  return compiler.finish(options);
}

/** The same, a document at a time: hundreds of thousands of them need not be held together. */
export class Compiler {
  readonly #ecosystems = new Map(SUPPORTED_ECOSYSTEMS.map((name) => [name, new Map<string, Map<string, Advisory>>()]));
  readonly #refused = new Map<string, number>();
  readonly #cves = new Set<string>();

  /** Whether it became part of the index. Of two documents under one id the later changed one counts. */
  add(document: unknown): boolean {
    const parsed = parseOsv(document);
    if (parsed.kind !== "entries") {
      const reason = parsed.kind === "withdrawn" ? "withdrawn" : parsed.reason;
      this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
      return false;
    }
    for (const { ecosystem, name, advisory } of parsed.entries) {
      const packages = this.#ecosystems.get(ecosystem);
      const known = packages?.get(name) ?? new Map<string, Advisory>();
      const before = known.get(advisory.id);
      if (before === undefined || (before.modified ?? "") <= (advisory.modified ?? "")) known.set(advisory.id, advisory);
      packages?.set(name, known);
      for (const each of [advisory.id, ...advisory.alias]) if (each.startsWith("CVE-")) this.#cves.add(each);
    }
    return true;
  }

  finish(options: CompileOptions): Compiled {
    const pages = new Map<string, Uint8Array>();
    const store = (made: readonly Uint8Array[]) => made.map((page) => keep(pages, page));
    const ecosystems = [...this.#ecosystems].map(([name, packages]) => ecosystemPages(name, packages, store)).filter(({ packages }) => packages > 0);
    const told = new Map([...(options.exploitation ?? [])].filter(([cve]) => this.#cves.has(cve)));
    const manifest: IndexManifest = {
      format: "plastron-advisories/1",
      built_at: options.built_at,
      sequence: options.sequence,
      seed: options.seed ?? false,
      sources: options.sources ?? [],
      ecosystems,
      exploitation: {
        pages: store(makePages(new Map([...told].map(([cve, said]) => [cve, JSON.stringify(said)])))),
        kev: [...told.values()].filter(({ kev }) => kev).length,
        epss: [...told.values()].filter(({ epss }) => epss !== undefined).length,
      },
      refused: Object.fromEntries([...this.#refused].sort()),
    };
    const bytes = new TextEncoder().encode(JSON.stringify(manifest));
    return { id: sha256(bytes), manifest: bytes, pages };
  }
}

function ecosystemPages(name: string, packages: ReadonlyMap<string, ReadonlyMap<string, Advisory>>, store: (pages: Uint8Array[]) => string[]): EcosystemPages {
  let advisories = 0;
  let malicious = 0;
  const lines = new Map<string, string>();
  for (const [each, known] of packages) {
    const sorted = [...known.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    advisories += sorted.length;
    malicious += sorted.filter((advisory) => advisory.malicious).length;
    lines.set(each, JSON.stringify(sorted));
  }
  return { name, packages: packages.size, advisories, malicious, pages: store(makePages(lines)) };
}

function keep(pages: Map<string, Uint8Array>, page: Uint8Array): string {
  const hash = sha256(page);
  pages.set(hash, page);
  return hash;
}
