import { lookup } from "node:dns/promises";
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Confinement,
  DEFAULT_LIMITS,
  type Image,
  type Limits,
  MIB,
  type PackageRequest,
  PlastronError,
  type Program,
  type RunResult,
} from "@plastron/contracts";
import { findNpm, nodeBase, npmDefault, pythonBase, readConfiguration } from "./base.ts";
import type { BuildOrder } from "./images.ts";
import { lockNode, readManifest } from "./lock-node.ts";
import { type Locked, lockPython } from "./lock-python.ts";
import { npmRegistry } from "./registry/npm.ts";
import { type Env, pipRegistry } from "./registry/pip.ts";
import { type Registry, refused } from "./registry/registry.ts";
import { checkRequirements } from "./requirements.ts";
import { type ImageStore, sha256 } from "./store.ts";
import { Unpacker } from "./unpack.ts";

/** What a builder is told by whoever runs the agent. */
export interface ImageOptions {
  /** The rules of a build's sandbox, whose only way out are these hosts and ports. */
  confine(hosts: Registry["hosts"]): Confinement;
  /** Of the operator: how pip and npm are configured. */
  env: Env;
  /** Further hosts that registries keep archives on. */
  archiveHosts?: string[];
}

/** One sandbox of a build. */
export interface BuildBox {
  confinement: Confinement;
  limits: Limits;
  /** The one address that each host stands for, as this machine resolves it. */
  hosts: Record<string, string>;
  /** Paths of this machine that are shown read-only, and where. */
  shown: [from: string, to: string][];
  tenant: string;
  program: Program;
  output: { stdout(chunk: Uint8Array): void | Promise<void>; stderr(chunk: Uint8Array): void | Promise<void> };
  signal: AbortSignal;
}

export interface BuilderParts {
  options: ImageOptions;
  store: ImageStore;
  /** Names that the operator gave an address. */
  hosts: Record<string, string>;
  run(box: BuildBox): Promise<Pick<RunResult, "status" | "reason" | "exit_code" | "limits_hit">>;
}

const PROGRAM = fileURLToPath(new URL("inside/build.py", import.meta.url));
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
export const BOUNDS = { entries: 200_000, bytes: 2048 * MIB };
/** A lock is text; the frames of a tree are little more than its bytes. */
const LOCK_BYTES = 32 * MIB;
const TREE_BYTES = BOUNDS.bytes + 128 * MIB;
const TAIL = 2_000;

/** What differs between the interpreters: how their packages are asked for. */
interface Plan {
  from: Image["from"];
  identity: string;
  place: string;
  registry: Registry;
  /** Inputs of the resolver; null where the caller has brought the lock. */
  ask: Record<string, string> | null;
  lock(said: string): Locked;
  shown: [string, string][];
}

/**
 * Packages → image, in two sandboxes. The first resolves and says a lock. The second is fresh, is given the lock alone, and sends the
 * tree. So what is in an image is decided by its lock: a package that lies about what was chosen has only named another image, and
 * one lock can be one image for all tenants that come to it.
 */
export class Builder {
  readonly #parts: BuilderParts;
  constructor(parts: BuilderParts) {
    this.#parts = parts;
  }

  async build(order: BuildOrder): Promise<Image> {
    const { store } = this.#parts;
    const deadline = performance.now() + order.wall_ms;
    const plan = await this.#plan(order.packages);
    const locked = plan.lock(plan.ask === null ? "" : await this.#resolve(order, plan, plan.ask, deadline));
    const known = store.byLock(sha256(locked.lock));
    if (known) {
      await order.progress(Buffer.from(`The image of this lock is there already: ${known.id.slice(0, 12)}\n`));
      return known;
    }
    return this.#install(order, plan, locked, deadline);
  }

  async #plan(packages: PackageRequest): Promise<Plan> {
    const { options } = this.#parts;
    if (packages.from === "python3") {
      const requirements = checkRequirements(packages.requirements).join("\n");
      const { identity, place, defaults } = await pythonBase();
      if (!defaults) throw new PlastronError("packages_failed", "pip is not installed on this machine", { hint: "On Debian: apt-get install python3-venv." });
      const registry = pipRegistry(options.env, readConfiguration, defaults);
      const shown = registry.directories.filter((path) => existsSync(path)).map((path): [string, string] => [path, path]);
      return { from: "python3", identity, place, registry, ask: { "requirements.txt": requirements }, lock: (said) => lockPython(said, identity), shown };
    }
    const manifest = readManifest(packages.package_json);
    const given = packages.package_lock === null ? null : lockNode(packages.package_lock, manifest, nodeBase().identity, "invalid_request");
    const { identity, place } = nodeBase();
    const npm = findNpm(ROOT);
    if (npm === undefined)
      throw new PlastronError("packages_failed", "npm is not installed on this machine", { hint: "Run `./plastron setup`, or apt-get install npm." });
    const registry = npmRegistry(options.env, readConfiguration, await npmDefault(npm));
    return {
      ...{ from: "nodejs" as const, identity, place, registry, shown: [[npm, "/opt/plastron/npm"]] },
      ask: given === null ? { "package.json": JSON.stringify({ name: "image", version: "1.0.0", private: true, ...manifest }) } : null,
      lock: (said) => given ?? lockNode(said, manifest, identity),
    };
  }

  async #resolve(order: BuildOrder, plan: Plan, files: Record<string, string>, deadline: number): Promise<string> {
    const said: Uint8Array[] = [];
    await this.#inside(order, plan, "resolve", files, deadline, LOCK_BYTES, (chunk) => void said.push(Buffer.from(chunk)));
    return Buffer.concat(said).toString("utf8");
  }

  async #install(order: BuildOrder, plan: Plan, { lock, files, packages }: Locked, deadline: number): Promise<Image> {
    const { store } = this.#parts;
    const unfinished = store.begin();
    try {
      const tree = join(unfinished, "tree");
      await mkdir(tree, { mode: 0o755 });
      const unpacker = new Unpacker(tree, BOUNDS);
      const ended = new AbortController();
      const taken = (chunk: Uint8Array) =>
        unpacker.push(chunk).then(() => {
          if (unpacker.failure) ended.abort("its result is refused");
        });
      const inside = this.#inside(order, plan, "install", files, deadline, TREE_BYTES, taken, ended.signal);
      await inside.catch((error: unknown) => {
        throw unpacker.failure ?? error;
      });
      const entries = await unpacker.finish();
      return await store.finish(unfinished, entries, { from: plan.from, lock, lock_sha256: sha256(lock), packages });
    } catch (error) {
      await store.discard(unfinished);
      throw error;
    }
  }

  /** One program in one sandbox to its end. Errors: packages_failed with the end of what it said. */
  async #inside(
    order: BuildOrder,
    plan: Plan,
    step: "resolve" | "install",
    files: Record<string, string>,
    deadline: number,
    outputBytes: number,
    stdout: (chunk: Uint8Array) => void | Promise<void>,
    given?: AbortSignal,
  ): Promise<void> {
    const { registry, place, from, shown } = plan;
    const wall = Math.round(deadline - performance.now());
    if (wall < 1000) throw new PlastronError("packages_failed", "There was no time left to install", { hint: "Give the build longer." });
    let tail = "";
    const settings = JSON.stringify({ options: registry.options, place });
    const inputs = { ...files, "settings.json": settings, ...certificatesOf(registry) };
    const limits = { ...buildLimits(), wall_ms: wall, output_bytes: outputBytes };
    const ended = await this.#parts.run({
      confinement: this.#parts.options.confine(this.#hosts(registry)),
      limits,
      hosts: await this.#addresses(registry),
      shown,
      tenant: order.tenant,
      program: {
        ...{ runtime: "python3", code: readFileSync(PROGRAM, "utf8"), args: [`${from === "python3" ? "python" : "nodejs"}-${step}`] },
        ...{ env: {}, stdin: "", collect: [], imports: [], limits },
        files: Object.entries(inputs).map(([path, content]) => ({ path, content, encoding: "utf8", executable: false })),
      },
      output: {
        stdout,
        stderr(chunk) {
          tail = (tail + Buffer.from(chunk).toString("utf8")).slice(-TAIL);
          return order.progress(chunk);
        },
      },
      signal: AbortSignal.any([...(order.signal ? [order.signal] : []), ...(given ? [given] : [])]),
    });
    if (ended.status !== "completed") throw failed(ended, step, tail);
  }

  #hosts(registry: Registry): Registry["hosts"] {
    const more = (this.#parts.options.archiveHosts ?? []).map((host) => ({ host, port: 443 }));
    const all = [...registry.hosts, ...more];
    return all.filter(({ host, port }, i) => all.findIndex((other) => other.host === host && other.port === port) === i);
  }

  /** As this machine resolves them, wherever that is: the operator has configured them. Only these names, for this build alone. */
  async #addresses(registry: Registry): Promise<Record<string, string>> {
    const names = [...new Set(this.#hosts(registry).map(({ host }) => host))];
    const found = names.map(async (name): Promise<[string, string]> => {
      const given = this.#parts.hosts[name];
      if (given !== undefined) return [name, given];
      const [first] = await lookup(name, { all: true, order: "ipv4first" }).catch(() => []);
      if (!first) throw refused("The registry's host", `${name} has no address on this machine`, "Check the network and the installer's configuration.");
      return [name, first.address];
    });
    return Object.fromEntries(await Promise.all(found));
  }
}

/** A certificate is public; given as a file, it needs no mount. */
function certificatesOf({ certificates }: Registry): Record<string, string> {
  if (certificates === null) return {};
  const text = readConfiguration(certificates);
  if (text === undefined) throw refused("The installer's file of certificates", `${certificates} cannot be read`);
  return { "certificates.pem": text };
}

/** Enough for numpy, pandas and what compiles them; never more than half of the machine. What is written counts as memory. */
function buildLimits(): Limits {
  const memory = Math.min(6144 * MIB, Math.max(512 * MIB, Math.floor(totalmem() / 2)));
  return {
    ...DEFAULT_LIMITS,
    memory_bytes: memory,
    workspace_bytes: Math.min(4096 * MIB, Math.floor(memory * 0.7)),
    pids: 512,
    cpus: Math.max(1, availableParallelism()),
    open_files: 4096,
  };
}

function failed(
  ended: { status: RunResult["status"]; reason: string | null; exit_code: number | null; limits_hit: string[] },
  step: string,
  tail: string,
): PlastronError {
  const why =
    ended.status === "failed"
      ? `the installer ended with ${ended.exit_code ?? "a signal"}`
      : `it ended as ${ended.status}${ended.reason ? ` (${ended.reason})` : ""}`;
  const doing = step === "resolve" ? "The packages could not be chosen" : "The packages could not be installed";
  return new PlastronError("packages_failed", `${doing}: ${why}.${tail.trim() === "" ? "" : `\n${tail.trim()}`}`);
}
