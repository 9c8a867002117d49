import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { chmod, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Image, imageIdSchema, imageSchema, PlastronError } from "@plastron/contracts";
import { type Entry, imageId, readEntries } from "./listing.ts";

const UNFINISHED = "unfinished-";
const REMOVED = "removed-";
const run = promisify(execFile);

type Told = Omit<Image, "id" | "files" | "bytes" | "built_at">;

/**
 * The finished images of one agent: DIRECTORY/ID/{image.json,tree}, each written beside its place, flushed and put there by one
 * rename. What a dead agent left unfinished is removed when the store is opened.
 */
export class ImageStore {
  readonly directory: string;
  /** Without entries: laid over the directories of packages that a sandbox shall not see. */
  readonly empty: string;
  readonly #images = new Map<string, Image>();
  readonly #verified = new Map<string, Promise<void>>();

  private constructor(directory: string) {
    this.directory = directory;
    this.empty = join(directory, "empty");
  }

  static async open(directory: string, log: (message: string, fields?: Record<string, unknown>) => void): Promise<ImageStore> {
    const store = new ImageStore(directory);
    await mkdir(store.empty, { recursive: true, mode: 0o755 });
    await chmod(directory, 0o700);
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      if (name.startsWith(UNFINISHED) || name.startsWith(REMOVED)) await rm(path, { recursive: true, force: true });
      else if (imageIdSchema.safeParse(name).success) {
        const image = await readFile(join(path, "image.json"), "utf8")
          .then((text) => imageSchema.safeParse(JSON.parse(text)))
          .catch(() => undefined);
        if (image?.success && image.data.id === name) store.#images.set(name, image.data);
        else log("an image cannot be read and is left alone", { path });
      }
    }
    return store;
  }

  list(): Image[] {
    return [...this.#images.values()];
  }

  byLock(lockSha256: string): Image | undefined {
    return this.list().find((image) => image.lock_sha256 === lockSha256);
  }

  get(id: string): Image | undefined {
    return this.#images.get(id);
  }

  /** Where a new tree is to be written; `finish` or `discard` takes it. */
  begin(): string {
    return mkdtempSync(join(this.directory, UNFINISHED));
  }

  async discard(unfinished: string): Promise<void> {
    await rm(unfinished, { recursive: true, force: true });
  }

  /** Makes the tree below `unfinished` an image. It may be there already: the same bytes were built from the same lock before. */
  async finish(unfinished: string, entries: readonly Entry[], told: Told): Promise<Image> {
    const id = imageId(told.lock_sha256, entries);
    const bytes = entries.reduce((sum, entry) => sum + ("size" in entry ? entry.size : 0), 0);
    const image: Image = { id, ...told, files: entries.length, bytes, built_at: new Date().toISOString() };
    if (!this.#images.has(id)) {
      await writeFile(join(unfinished, "image.json"), JSON.stringify(image));
      await chmod(unfinished, 0o755);
      await run("sync", ["-f", unfinished]); // one call for a hundred thousand files
      await rename(unfinished, join(this.directory, id));
      await flush(this.directory);
      this.#images.set(id, image);
      this.#verified.set(id, Promise.resolve());
    } else await this.discard(unfinished);
    return this.#images.get(id) as Image;
  }

  /** The tree of an image, compared with its name when it is first used. Errors: not_found; sandbox_failed where it was changed. */
  async tree(id: string): Promise<string> {
    const image = this.#images.get(id);
    if (!image)
      throw new PlastronError("not_found", "The packages of this runtime are not on this machine", {
        hint: "Make its next version: `plastron runtime update NAME`.",
      });
    const tree = join(this.directory, id, "tree");
    const verified = this.#verified.get(id) ?? this.#verify(image, tree);
    this.#verified.set(id, verified);
    await verified;
    return tree;
  }

  async remove(id: string): Promise<void> {
    this.#images.delete(id);
    this.#verified.delete(id);
    const aside = join(this.directory, `${REMOVED}${id}-${performance.now()}`);
    await rename(join(this.directory, id), aside);
    await rm(aside, { recursive: true, force: true });
  }

  async #verify({ id, lock, lock_sha256 }: Image, tree: string): Promise<void> {
    const found = await readEntries(tree).then(
      (entries) => imageId(lock_sha256, entries),
      (error: Error) => error.message,
    );
    if (found === id && sha256(lock) === lock_sha256) return;
    throw new PlastronError("sandbox_failed", `the image ${id.slice(0, 12)} is not what was built: its files were changed`, {
      hint: "Make the runtime's next version; the disk or somebody with root changed the old one.",
    });
  }
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

async function flush(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  await handle.sync().finally(() => handle.close());
}
