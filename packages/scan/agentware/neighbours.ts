import type { Project } from "../analyser.ts";
import type { FileFacts } from "../code/engine/facts.ts";
import { Modules } from "../code/link/modules.ts";

/** A file that imports more than that brings parts together that know nothing of each other. */
const HUB = 40;
/** So many files are held against one. */
const MOST = 150;

/**
 * In a package of many files evidence is joined over those that hang together: what a file imports, what those import, who imports it and what
 * else they import. What a manifest's hooks name hangs with the manifest.
 */
export class Neighbours {
  readonly #imports = new Map<string, readonly string[]>();
  readonly #importers = new Map<string, string[]>();
  readonly #names = new Map<string, string[]>();

  constructor(project: Project) {
    const files = project.facts<FileFacts>("code");
    const modules = new Modules(files);
    for (const [key, { outline }] of files) {
      const found = new Set<string>();
      for (const { module } of outline?.imports ?? []) {
        const file = found.size < MOST && module !== "" ? modules.find(key, module) : null;
        if (file !== null && file !== key) found.add(file);
      }
      this.#imports.set(key, [...found]);
      for (const each of found) add(this.#importers, each, key);
      add(this.#names, key.slice(key.lastIndexOf("/") + 1), key);
    }
  }

  of(key: string): Set<string> {
    const found = new Set([key]);
    for (const each of this.#from(key)) take(found, [each, ...this.#from(each)]);
    for (const importer of this.#importers.get(key) ?? []) {
      const siblings = this.#from(importer);
      take(found, siblings.length > HUB ? [importer] : [importer, ...siblings]);
    }
    return found;
  }

  /** Programs that a command line names, and what they import. `folder` is where it runs. */
  started(folder: string, command: string): Set<string> {
    const found = new Set<string>();
    for (const [path] of command.slice(0, 4000).matchAll(/[\w./-]{1,200}\.(?:[cm]?[jt]s|py|sh)\b/g)) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      const tail = path.replace(/^\.\//, "");
      const file = (this.#names.get(name) ?? []).find((key) => key === (folder === "" ? tail : `${folder}/${tail}`));
      if (file) take(found, [file, ...this.#from(file), ...this.#from(file).flatMap((each) => this.#from(each))]);
    }
    return found;
  }

  #from(key: string): readonly string[] {
    return this.#imports.get(key) ?? [];
  }
}

function add(map: Map<string, string[]>, key: string, value: string): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}

function take(found: Set<string>, keys: readonly string[]): void {
  for (const key of keys) if (found.size < MOST) found.add(key);
}
