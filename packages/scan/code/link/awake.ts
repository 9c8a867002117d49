/** Which files run though they lie where tests and examples do: role follows what starts them, not the path alone. */
import type { FileFacts, ManifestFacts } from "../engine/facts.ts";
import { isQuietPlace, roleOf } from "../role.ts";
import { folderOf, type Modules } from "./modules.ts";

/** Settings of tools, which take in what tests need. */
const SETTINGS = /\.config\.[cm]?[jt]s$|(^|\/)\.[^/]+$/;

/**
 * Files of quiet places that a package names as its own (main, bin, exports, what npm runs at its installation, entry points of Python), and what those, or code of
 * other places, import, as far as that leads.
 */
export function awakeFiles(files: ReadonlyMap<string, FileFacts>, modules: Modules): Set<string> {
  const awake = new Set<string>();
  const queue: string[] = [];
  const run = (file: string | null): void => {
    if (file === null || !isQuietPlace(file) || awake.has(file)) return;
    awake.add(file);
    queue.push(file);
  };
  for (const [path, { manifest }] of files) {
    if (manifest !== null) for (const entry of isQuietPlace(path) ? [] : entriesOf(folderOf(path), manifest, modules)) run(entry);
    else if (roleOf(path) === "code" && !SETTINGS.test(path)) queue.push(path);
  }
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) for (const next of importsOf(file, files, modules)) run(next);
  return awake;
}

function* entriesOf(folder: string, manifest: ManifestFacts, modules: Modules): Iterable<string | null> {
  if (manifest.kind === "package") yield modules.entry(folder, manifest, ".");
  for (const path of [...manifest.entries.map(([, target]) => target), ...manifest.bins, ...manifest.hooks]) yield modules.target(folder, path);
  const root = /\.(?:dist|egg)-info$/.test(folder) ? folderOf(folder) : folder;
  for (const module of manifest.modules) yield* pythonOf(root, module, modules);
}

function* importsOf(file: string, files: ReadonlyMap<string, FileFacts>, modules: Modules): Iterable<string | null> {
  const { outline } = files.get(file) as FileFacts;
  for (const { module, names } of outline.imports) {
    if (module === "") continue;
    if (outline.language !== "python") yield modules.find(file, module);
    // `from . import client` takes a module by its name.
    else
      for (const each of [module, ...names.map((name) => (module.endsWith(".") ? `${module}${name}` : `${module}.${name}`))])
        yield* pythonFrom(file, each, modules);
  }
}

/** From the folder of the file, and from all above: one of them is where it is started. */
function* pythonFrom(file: string, module: string, modules: Modules): Iterable<string | null> {
  if (module.startsWith(".")) return yield modules.find(file, module);
  for (let folder = folderOf(file); ; folder = folderOf(folder)) {
    yield* pythonOf(folder, module, modules);
    if (folder === "") return;
  }
}

/** A module by its whole name below a folder that is on the path, or below `src`: what has only its last words in common is another. */
function* pythonOf(folder: string, module: string, modules: Modules): Iterable<string | null> {
  const path = module.replaceAll(".", "/");
  for (const root of [folder, folder === "" ? "src" : `${folder}/src`])
    for (const end of [".py", "/__init__.py"]) yield modules.exact(`${root === "" ? "" : `${root}/`}${path}${end}`);
}
