import type { ArtifactFile, DigestLine, IntakeGap } from "./artifact.ts";
import type { Limits } from "./limits.ts";
import { nameTrouble } from "./names.ts";

/** The tree while it is taken in: what was found, what was refused, and how much room is left. */
export class Collector {
  readonly limits: Limits;
  readonly files = new Map<string, ArtifactFile>();
  readonly gaps: IntakeGap[] = [];
  readonly digest: DigestLine[] = [];
  /** Names as a disk that knows neither case nor normal forms would keep them. */
  readonly #folded = new Map<string, string>();
  #bytes = 0;
  #full = false;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** No more is taken: a limit of the whole was hit, which is said once. */
  get full(): boolean {
    return this.#full;
  }

  gap(kind: IntakeGap["kind"], path: string, reason: string, detail: string, matters: boolean): void {
    this.gaps.push({ kind, path, reason, detail, matters });
  }

  /** Whether there is room for another file of this size; says so where there is none. */
  room(path: string, size: number): boolean {
    const { files, totalBytes } = this.limits;
    if (!this.#full && this.files.size >= files) this.#stop(path, "too_many_files", `more than ${files} files: what follows was not looked at`);
    if (!this.#full && this.#bytes + size > totalBytes) this.#stop(path, "too_large", `more than ${totalBytes} bytes in all: what follows was not looked at`);
    return !this.#full;
  }

  #stop(path: string, reason: string, detail: string): void {
    this.#full = true;
    this.gap("skipped", path, reason, detail, true);
  }

  /** Takes a file in. A name that is there already (an archive may say one twice) gets another, so that both are looked at. */
  add(file: ArtifactFile): ArtifactFile {
    const taken = this.files.has(file.key) ? this.#renamed(file) : file;
    const trouble = nameTrouble(taken.path);
    if (trouble) this.gap("degraded", taken.key, "name", trouble, false);
    const folded = taken.key.normalize("NFC").toLowerCase();
    const other = this.#folded.get(folded);
    if (other !== undefined && other !== taken.key)
      this.gap("degraded", taken.key, "collision", `on a disk that does not tell cases or normal forms apart this and ${other} are one file`, false);
    this.#folded.set(folded, taken.key);
    this.files.set(taken.key, taken);
    this.#bytes += taken.size;
    if (taken.encoding === "latin1") this.gap("degraded", taken.key, "encoding", "neither UTF-8 nor marked as anything else: read as Latin-1", false);
    return taken;
  }

  /** Something that was learnt of a file after it was taken in. */
  mark(key: string, traits: Pick<ArtifactFile, "sealed">): void {
    const file = this.files.get(key);
    if (file) this.files.set(key, { ...file, ...traits });
  }

  #renamed(file: ArtifactFile): ArtifactFile {
    let copy = 2;
    while (this.files.has(`${file.key}~${copy}`)) copy++;
    this.gap("degraded", file.key, "collision", `the archive holds this name ${copy} times; unpackers disagree about which one counts`, false);
    return { ...file, path: `${file.path}~${copy}`, key: `${file.key}~${copy}` };
  }

  sorted(): ArtifactFile[] {
    return [...this.files.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }
}
