import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import type { Duplex } from "node:stream";
import type { Confinement } from "@plastron/contracts";
import { DEFAULT_LIMITS, type Limits, PlastronError, type Runtime } from "@plastron/contracts";
import { workerCommand, zygoteCommand } from "../../runtimes/index.ts";
import { Box } from "./box.ts";
import { type CgroupLayout, cgroupRecords } from "./cgroups.ts";
import type { BoxSource } from "./pool.ts";
import { landlockRecords, privateRecords, type RootSources, rootRecords } from "./root.ts";
import { encodeSpec, type SpecRecord } from "./spec.ts";
import { type UidPool, ZYGOTE_UIDS } from "./uids.ts";

/** Where the interpreters are inside every sandbox (root.ts puts them there). */
const INTERPRETERS: Record<Runtime, string> = { python3: "/usr/bin/python3", nodejs: "/opt/plastron/node/bin/node", bash: "/usr/bin/bash" };
const RLIMIT = { core: 4, nofile: 7 };

/** What a sandbox is made for; two requests with the same kind can use the same pool. */
export interface BoxKind {
  runtime: Runtime;
  confinement: Confinement;
  /** Resolved `confinement.hidden` and `forbidden_programs`: paths inside the sandbox. */
  hidden: string[];
  imports: string[];
  limits: Limits;
}

/** What all sources of one driver share. */
export interface Workshop {
  launcher: string;
  init: string;
  sources: RootSources;
  cgroups: CgroupLayout;
  uids: UidPool;
  /** Names of the cgroups of living sandboxes: what is not in here may be reclaimed. */
  living: Set<string>;
  children: ChildrenSocket;
  /** Called when a supervisor died without cleaning up. */
  reclaim(cgroup: string): void;
  log(message: string, fields?: Record<string, unknown>): void;
}

const cgroupName = (): string => `box-${randomUUID()}`;

/** Starts a launcher; its descriptor 3 is the connection. */
function launch(shop: Workshop, records: SpecRecord[], cgroup: string): Box {
  const child: ChildProcess = spawn(shop.launcher, [], { stdio: ["ignore", "ignore", "ignore", "pipe"], env: {}, cwd: "/", detached: true });
  const box = new Box(child.stdio[3] as Duplex, "process");
  child.once("error", (error) => {
    box.failure ??= `the launcher cannot be started: ${error.message}`;
    box.destroy();
  });
  child.once("exit", (code) => {
    if (code !== 0) shop.reclaim(cgroup);
  });
  box.send("Q", encodeSpec(records));
  return box;
}

function commonRecords(kind: BoxKind): SpecRecord[] {
  const { confinement, limits } = kind;
  const weak = confinement.weak ?? {};
  const records: SpecRecord[] = [["rlimit", RLIMIT.core, 0], ["rlimit", RLIMIT.nofile, limits.open_files], ...landlockRecords(confinement)];
  if (confinement.seccomp !== "" && weak.seccomp !== true) records.push(["seccomp", Buffer.from(confinement.seccomp, "base64")]);
  if (confinement.user_namespaces) records.push(["keep-user-namespaces"]);
  if (weak.capabilities === true) records.push(["keep-root"]);
  if (weak.network_namespace !== undefined) records.push(["join-network", weak.network_namespace]);
  return records;
}

function commandRecords(kind: BoxKind, mode: "run" | "session" | "zygote"): SpecRecord[] {
  const interpreter = INTERPRETERS[kind.runtime];
  const command =
    mode === "zygote"
      ? zygoteCommand({ interpreter, imports: kind.imports, library: "/opt/plastron/libplastron-zygote.so" })
      : workerCommand({ runtime: kind.runtime, mode, interpreter, imports: kind.imports });
  return [
    ["exec", interpreter],
    ...command.argv.map((arg): SpecRecord => ["arg", arg]),
    ...Object.entries(command.env).map(([name, value]): SpecRecord => ["env", `${name}=${value}`]),
  ];
}

/** Sandboxes with a launcher, an interpreter and an address space of their own. */
export class ProcessSource implements BoxSource {
  readonly kind = "process";
  readonly #shop: Workshop;
  readonly #kind: BoxKind;
  readonly #mode: "run" | "session";
  constructor(shop: Workshop, kind: BoxKind, mode: "run" | "session" = "run") {
    this.#shop = shop;
    this.#kind = kind;
    this.#mode = mode;
  }

  async start(): Promise<Box> {
    const { uids, cgroups, living, sources } = this.#shop;
    const { confinement, limits, hidden } = this.#kind;
    const uid = uids.take();
    const cgroup = cgroupName();
    living.add(cgroup);
    const box = launch(
      this.#shop,
      [
        ["uid", uid],
        ...(this.#mode === "session" ? [["session"] as SpecRecord] : []),
        ...cgroupRecords(cgroups, cgroup, limits),
        ...rootRecords(sources, confinement, hidden),
        ...privateRecords(uid, limits.workspace_bytes, confinement, hidden, ""),
        ...commonRecords(this.#kind),
        ...commandRecords(this.#kind, this.#mode),
      ],
      cgroup,
    );
    void box.gone.then(() => {
      living.delete(cgroup);
      uids.giveBack(uid);
    });
    await box.ready;
    return box;
  }
}

/** Where children of zygotes connect (native/zygote.c), each with the token of its order. */
export class ChildrenSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #waiting = new Map<string, (box: Box) => void>();

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
  }

  static async listen(path: string): Promise<ChildrenSocket> {
    await rm(path, { force: true });
    const server = createServer();
    const socket = new ChildrenSocket(path, server);
    server.on("connection", (stream) => {
      const box = new Box(stream, "zygote", (token) => {
        const take = socket.#waiting.get(token);
        socket.#waiting.delete(token);
        if (take) take(box);
        else box.destroy();
      });
    });
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
    await chmod(path, 0o600);
    return socket;
  }

  /** The child that answers `token`, or an error after `ms`. */
  expect(token: string, ms: number): Promise<Box> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(token);
        reject(new PlastronError("sandbox_failed", `the zygote did not make a child within ${ms} ms`));
      }, ms);
      this.#waiting.set(token, (box) => {
        clearTimeout(timer);
        resolve(box);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

const ZYGOTE_LIMITS: Limits = { ...DEFAULT_LIMITS, memory_bytes: 2 * 1024 * 1024 * 1024, pids: 1024, cpus: 16 };

/** One zygote of one tenant, as the source of a pool. */
export class ZygoteSource implements BoxSource {
  readonly kind = "zygote";
  readonly bornAt = performance.now();
  made = 0;
  readonly #shop: Workshop;
  readonly #kind: BoxKind;
  readonly #box: Box;
  readonly #base: number;
  readonly #free: number[] = Array.from({ length: ZYGOTE_UIDS - 1 }, (_, i) => i + 1);

  private constructor(shop: Workshop, kind: BoxKind, box: Box, base: number) {
    this.#shop = shop;
    this.#kind = kind;
    this.#box = box;
    this.#base = base;
  }

  static async open(shop: Workshop, kind: BoxKind): Promise<ZygoteSource> {
    const base = shop.uids.takeBlock();
    const cgroup = cgroupName();
    shop.living.add(cgroup);
    const box = launch(
      shop,
      [
        ["uid", base],
        ["zygote", ZYGOTE_UIDS],
        ["children", shop.children.path],
        ["init-binary", shop.init],
        ...cgroupRecords(shop.cgroups, cgroup, ZYGOTE_LIMITS),
        ...rootRecords(shop.sources, kind.confinement, kind.hidden),
        ["proc", "/proc"],
        ...privateRecords("self", kind.limits.workspace_bytes, kind.confinement, kind.hidden, "child-"),
        ...commonRecords(kind),
        ...commandRecords(kind, "zygote"),
      ],
      cgroup,
    );
    void box.gone.then(() => {
      shop.living.delete(cgroup);
      shop.uids.giveBack(base);
    });
    await box.ready;
    return new ZygoteSource(shop, kind, box, base);
  }

  get alive(): boolean {
    return this.#box.state !== "gone";
  }

  async start(): Promise<Box> {
    const inside = this.#free.shift();
    if (inside === undefined || !this.alive) throw new PlastronError("sandbox_failed", this.alive ? "the zygote has no free uid" : "the zygote has ended");
    const { children, cgroups, living } = this.#shop;
    const token = randomUUID();
    const cgroup = cgroupName();
    living.add(cgroup);
    const coming = children.expect(token, 10_000);
    const records: SpecRecord[] = [["token", token], ["uid", this.#base + inside], ["inside", inside], ...cgroupRecords(cgroups, cgroup, this.#kind.limits)];
    this.#box.send("Y", encodeSpec(records));
    this.made++;
    const release = () => {
      living.delete(cgroup);
      this.#free.push(inside);
    };
    const box = await coming.catch((error: Error) => {
      release();
      throw error;
    });
    void box.gone.then(release);
    await box.ready;
    return box;
  }

  /** Ends the zygote and, with its namespaces, whatever children it still has. */
  async close(): Promise<void> {
    this.#box.destroy();
    await this.#box.gone;
  }
}
