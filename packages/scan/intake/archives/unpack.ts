import { createHash } from "node:crypto";
import { fileKey } from "../../analyser.ts";
import type { ArtifactFile } from "../artifact.ts";
import { classify } from "../classify.ts";
import type { Collector } from "../collector.ts";
import { leavesRoot } from "../directory.ts";
import { type MemberName, memberName } from "../names.ts";
import type { Spool } from "./spool.ts";

/** Thrown inside of an archive to stop reading it; the gap is said already. */
export class Enough extends Error {}

/** A member of an archive, as its header says. */
export interface Member {
  readonly name: Uint8Array;
  readonly type: "file" | "directory" | "symlink" | "hardlink" | "special" | "unknown";
  readonly executable: boolean;
  readonly size: number;
  readonly target?: string;
}

export interface UnpackOptions {
  readonly collector: Collector;
  readonly spool: Spool;
  readonly layers: readonly string[];
  /** How large the archive itself is. */
  readonly archiveBytes: number;
  /** `top`: the first directory of every name is the packager's, as in npm's tarballs. */
  readonly strip?: "top" | "nothing";
  readonly signal?: AbortSignal | undefined;
}

/** One archive while it is read: names its members, watches how much comes out of it. */
export class Unpack {
  readonly collector: Collector;
  readonly layers: readonly string[];
  readonly added: ArtifactFile[] = [];
  /** What to call the archive in a gap; empty for one that is the artifact itself. */
  readonly where: string;
  readonly #spool: Spool;
  readonly #archiveBytes: number;
  readonly #strip: "top" | "nothing";
  readonly #signal: AbortSignal | undefined;
  #out = 0;
  #members = 0;

  constructor({ collector, spool, layers, archiveBytes, strip, signal }: UnpackOptions) {
    this.collector = collector;
    this.layers = layers;
    this.where = layers.join("!/");
    this.#spool = spool;
    this.#archiveBytes = archiveBytes;
    this.#strip = strip ?? "nothing";
    this.#signal = signal;
  }

  /** Whether the content of this member is wanted; what is refused is said. Throws Enough where the whole archive is to be left. */
  wants(member: Member): boolean {
    this.#signal?.throwIfAborted();
    const { limits } = this.collector;
    if (++this.#members > limits.files * 2) this.stop("too_many_files", `more than ${limits.files * 2} members`);
    if (member.type === "directory") return false;
    const { path } = this.#name(member);
    if (path === "") return false;
    if (member.type !== "file") return this.#link(member, path);
    if (member.size > limits.fileBytes) {
      this.collector.gap("skipped", this.key(path), "too_large", `${member.size} bytes; a file may have ${limits.fileBytes}`, true);
      return false;
    }
    if (!this.collector.room(this.key(path), member.size)) throw new Enough();
    return true;
  }

  #link({ type, target = "" }: Member, path: string): false {
    if (type === "unknown") {
      this.collector.gap("skipped", this.key(path), "unsupported", "a kind of member that is not read here (a sparse file, a label)", true);
      return false;
    }
    if (type === "special") {
      this.collector.gap("skipped", this.key(path), "device", "a device or a fifo, no file", false);
      return false;
    }
    const leaves = type === "symlink" ? leavesRoot(path, target) : leavesRoot("x", target);
    this.collector.gap("skipped", this.key(path), type, leaves ? `a link that leads out of the archive, to ${target}` : `a link to ${target}`, leaves);
    if (this.layers.length === 0) this.collector.digest.push({ path, mode: "120000", sha256: sha256Of(Buffer.from(target)) });
    return false;
  }

  /** Counts bytes as they come out; a bomb is left before it has gone off. */
  came(bytes: number): void {
    this.#out += bytes;
    const { ratio, ratioFloor, totalBytes } = this.collector.limits;
    if (this.#out > ratioFloor && this.#out > this.#archiveBytes * ratio) this.stop("bomb", `more than ${ratio} times its own size comes out of it`);
    if (this.#out > totalBytes) this.stop("bomb", `more than ${totalBytes} bytes come out of it`);
  }

  stop(reason: string, detail: string): never {
    this.collector.gap("degraded", this.where, reason, `${detail}: the rest of this archive was not looked at`, true);
    throw new Enough();
  }

  take(member: Member, bytes: Buffer): void {
    const { path, trouble } = this.#name(member);
    if (trouble) this.collector.gap("degraded", this.key(path), "path_escape", `${trouble}; it was looked at under this name instead`, true);
    const sha256 = sha256Of(bytes);
    const head = { path, layers: this.layers, executable: member.executable, size: bytes.length, ...classify(path, bytes) };
    this.#spool.put(sha256, bytes);
    const file = this.collector.add({ ...head, key: fileKey(head), sha256 });
    this.added.push(file);
    if (this.layers.length === 0) this.collector.digest.push({ path: file.path, mode: member.executable ? "100755" : "100644", sha256 });
  }

  #name({ name }: Member): MemberName {
    const { path, trouble } = memberName(name);
    return { path: this.#strip === "top" ? path.slice(path.indexOf("/") + 1) : path, trouble };
  }

  key(path: string): string {
    return fileKey({ path, layers: this.layers });
  }
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
