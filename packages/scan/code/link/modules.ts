/** Which file an import means: relative paths, packages of the tree itself, `paths` of a tsconfig, Python's modules. */
import type { FileFacts, ManifestFacts } from "../engine/facts.ts";

const EXTENSIONS = ["", ".ts", ".tsx", ".js", ".mjs", ".cjs", ".jsx", ".mts", ".cts", "/index.ts", "/index.tsx", "/index.js", "/index.mjs", "/index.cjs"];

export class Modules {
  readonly #files: ReadonlyMap<string, FileFacts>;
  readonly #packages = new Map<string, { folder: string; manifest: ManifestFacts }>();
  readonly #tsconfigs: { folder: string; manifest: ManifestFacts }[] = [];
  readonly #python = new Map<string, string>();
  readonly #cache = new Map<string, string | null>();

  constructor(files: ReadonlyMap<string, FileFacts>) {
    this.#files = files;
    for (const [path, { manifest, outline }] of files) {
      const folder = folderOf(path);
      if (manifest?.kind === "package" && manifest.name !== "") this.#packages.set(manifest.name, { folder, manifest });
      else if (manifest?.kind === "tsconfig") this.#tsconfigs.push({ folder, manifest });
      else if (outline.language === "python") this.#addPython(path);
    }
  }

  /** Folder of a package → its manifest, for those that offer something. */
  packages(): Iterable<{ folder: string; manifest: ManifestFacts }> {
    return this.#packages.values();
  }

  /** Null for what is not of this tree. */
  find(from: string, module: string): string | null {
    const key = `${from}\0${module}`;
    let found = this.#cache.get(key);
    if (found === undefined) {
      found = this.#files.get(from)?.outline.language === "python" ? this.#findPython(from, module) : this.#findJavascript(from, module);
      this.#cache.set(key, found);
    }
    return found;
  }

  #findJavascript(from: string, module: string): string | null {
    if (module.startsWith(".")) return this.file(joined(folderOf(from), module));
    if (module.startsWith("/")) return null;
    return this.#findPackage(module) ?? this.#findMapped(from, module);
  }

  /** A file by its path without an extension, or with the one that it will have once compiled. */
  file(path: string | null): string | null {
    if (path === null) return null;
    for (const extension of EXTENSIONS) if (this.#isCode(path + extension)) return path + extension;
    const bare = path.replace(/\.([cm]?)js(x?)$/, "");
    if (bare !== path) for (const extension of [".ts", ".tsx", ".mts", ".cts"]) if (this.#isCode(bare + extension)) return bare + extension;
    return null;
  }

  /** The file of this very path. */
  exact(path: string): string | null {
    return this.#isCode(path) ? path : null;
  }

  #isCode(path: string): boolean {
    const facts = this.#files.get(path);
    return facts !== undefined && facts.manifest === null;
  }

  #findPackage(module: string): string | null {
    const parts = module.split("/");
    const name = parts.slice(0, module.startsWith("@") ? 2 : 1).join("/");
    const found = this.#packages.get(name);
    if (found === undefined) return null;
    const subpath = parts.length === name.split("/").length ? "." : `./${parts.slice(name.split("/").length).join("/")}`;
    return this.entry(found.folder, found.manifest, subpath) ?? this.file(joined(found.folder, subpath));
  }

  /** The file behind a package's `.` or one of its subpaths; built files fall back to their sources. */
  entry(folder: string, { entries }: ManifestFacts, subpath: string): string | null {
    for (const [name, target] of entries) {
      const file = name === subpath ? this.target(folder, target) : null;
      if (file !== null) return file;
    }
    return subpath === "." ? (this.file(joined(folder, "./index")) ?? this.file(joined(folder, "./src/index"))) : null;
  }

  /** What a manifest names, or the source that it will be built of. */
  target(folder: string, target: string): string | null {
    const path = joined(folder, target);
    return this.file(path) ?? this.file(path?.replace(/(^|\/)(dist|lib|build|out)\//, "$1src/") ?? null);
  }

  #findMapped(from: string, module: string): string | null {
    for (const { folder, manifest } of this.#tsconfigs) {
      if (folder !== "" && !from.startsWith(`${folder}/`)) continue;
      const base = joined(folder, manifest.baseUrl === "" ? "." : manifest.baseUrl);
      if (base === null) continue;
      for (const [pattern, target] of manifest.paths) {
        const star = pattern.indexOf("*");
        const [head, tail] = star < 0 ? [pattern, ""] : [pattern.slice(0, star), pattern.slice(star + 1)];
        const fits = star < 0 ? module === pattern : module.length >= head.length + tail.length && module.startsWith(head) && module.endsWith(tail);
        if (!fits) continue;
        const file = this.file(
          joined(
            base,
            target.replace("*", () => module.slice(head.length, module.length - tail.length)),
          ),
        );
        if (file !== null) return file;
      }
      if (manifest.baseUrl !== "") {
        const file = this.file(joined(base, module));
        if (file !== null) return file;
      }
    }
    return null;
  }

  /** Every way in which a file can be imported: by its last parts, as nobody knows from which folder it will be started. */
  #addPython(path: string): void {
    const parts = path.replace(/(\/__init__)?\.pyi?$/, "").split("/");
    for (let from = 0; from < parts.length; from++) {
      const name = parts.slice(from).join(".");
      const known = this.#python.get(name);
      if (known === undefined || from === 0 || known.length > path.length) this.#python.set(name, path);
    }
  }

  #findPython(from: string, module: string): string | null {
    const dots = /^\.*/.exec(module)?.[0].length ?? 0;
    if (dots === 0) {
      const folder = folderOf(from);
      return this.#pythonFile(folder === "" ? module.split(".") : [...folder.split("/"), ...module.split(".")]) ?? this.#python.get(module) ?? null;
    }
    const folder = folderOf(from).split("/").filter(Boolean);
    const rest = module.slice(dots).split(".").filter(Boolean);
    return dots - 1 > folder.length ? null : this.#pythonFile([...folder.slice(0, folder.length - dots + 1), ...rest]);
  }

  #pythonFile(parts: readonly string[]): string | null {
    const path = parts.join("/");
    for (const end of [".py", "/__init__.py"]) if (this.#isCode(path + end)) return path + end;
    return null;
  }
}

export function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
}

/** `a/b` + `../c` → `a/c`; null for what leaves the tree. */
function joined(folder: string, relative: string): string | null {
  const parts = folder === "" ? [] : folder.split("/");
  for (const part of relative.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.join("/");
}
