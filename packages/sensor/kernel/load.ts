import { closeSync, existsSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { errorText, type Native, native } from "./libbpf.ts";

const BUILD = fileURLToPath(new URL("../native/build/", import.meta.url));

/** The objects, what a sandbox's account is without each, and which maps are not its own. `calls` makes them for all. */
const OBJECTS = {
  calls: { programs: ["on_sys_exit"], feeds: "system calls, files, connections and denials" },
  life: { programs: ["on_fork", "on_exec", "on_exit"], feeds: "processes" },
  capabilities: { programs: ["on_capable"], feeds: "capabilities of behaviour profiles" },
  flows: { programs: ["on_egress", "on_ingress"], feeds: "bytes by peer" },
} as const;
type ObjectName = keyof typeof OBJECTS;
const SHARED = ["ring", "controls", "accounts", "places", "told"];

export interface LoadOptions {
  /** Bytes of the ring: a power of two. */
  ringBytes: number;
  /** A directory of the unified hierarchy, below which sandboxes' cgroups are. */
  cgroup: string | null;
}

/** What runs in the kernel now. All of it goes with this process. */
export interface Loaded {
  fds: { ring: number; controls: number; accounts: number; calls: number; places: number; flows: number; groups: number };
  /** What the kernel refused, and why: "bytes by peer: …". */
  missing: string[];
  close(): void;
}

/** @throws Error that says what this host has not, where nothing can be seen at all */
export function load(options: LoadOptions): Loaded {
  const needed = whatIsNeeded();
  if (needed !== null) throw new Error(needed);
  const loader = new Loader(native(), options);
  try {
    loader.take("calls");
    for (const name of ["life", "capabilities", "flows"] as const) loader.tryToTake(name);
    return { fds: loader.fds(), missing: loader.missing, close: () => loader.close() };
  } catch (error) {
    loader.close();
    throw error;
  }
}

/** Null where it is worth a try. */
export function whatIsNeeded(): string | null {
  if (process.geteuid?.() !== 0) return "the sensor needs root";
  if (!existsSync("/sys/kernel/btf/vmlinux")) return "this kernel does not describe its types (CONFIG_DEBUG_INFO_BTF): /sys/kernel/btf/vmlinux is missing";
  if (!existsSync(`${BUILD}calls.bpf.o`)) return "the sensor's programs are not built: apt-get install clang libbpf-dev, then ./plastron up compiles them";
  return null;
}

class Loader {
  readonly missing: string[] = [];
  readonly #bpf: Native;
  readonly #options: LoadOptions;
  readonly #level: number;
  readonly #objects = new Map<ObjectName, bigint>();
  readonly #links: bigint[] = [];

  constructor(bpf: Native, options: LoadOptions) {
    this.#bpf = bpf;
    this.#options = options;
    this.#level = ownLevel(bpf);
  }

  /** @throws Error that names the program or map which the kernel refused */
  take(name: ObjectName): void {
    const object = open(this.#bpf, name);
    this.#objects.set(name, object);
    this.#sayLevel(object);
    if (name === "calls") must(this.#bpf.setMaxEntries(this.#bpf.findMap(object, "ring"), this.#options.ringBytes), "the ring's size");
    else this.#share(object);
    must(this.#bpf.loadObject(object), `the kernel refused ${OBJECTS[name].programs.join(", ")}`);
    for (const program of OBJECTS[name].programs) this.#links.push(this.#attach(object, program, name === "flows"));
  }

  tryToTake(name: Exclude<ObjectName, "calls">): void {
    if (name === "flows" && this.#options.cgroup === null) {
      this.missing.push(`${OBJECTS.flows.feeds}: sandboxes have no unified cgroup here`);
      return;
    }
    try {
      this.take(name);
    } catch (error) {
      this.missing.push(`${OBJECTS[name].feeds}: ${(error as Error).message}`);
    }
  }

  fds(): Loaded["fds"] {
    const of = (name: ObjectName, map: string) => {
      const object = this.#objects.get(name);
      const found = object === undefined ? 0n : this.#bpf.findMap(object, map);
      return found === 0n ? -1 : this.#bpf.mapFd(found);
    };
    const [ring, controls, accounts, calls, places] = ["ring", "controls", "accounts", "calls", "places"].map((map) => of("calls", map)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return { ring, controls, accounts, calls, places, flows: of("flows", "flows"), groups: of("flows", "groups") };
  }

  close(): void {
    for (const link of this.#links.splice(0)) this.#bpf.destroyLink(link);
    for (const object of this.#objects.values()) this.#bpf.closeObject(object);
    this.#objects.clear();
  }

  #share(object: bigint): void {
    for (const name of SHARED) {
      const map = this.#bpf.findMap(object, name);
      if (map !== 0n) must(this.#bpf.reuseFd(map, this.#bpf.mapFd(this.#bpf.findMap(this.#objects.get("calls") as bigint, name))), name);
    }
  }

  /** `own_level`, the only constant of the programs, is written before the kernel gets to see it. */
  #sayLevel(object: bigint): void {
    const constants = this.#bpf.findMap(object, ".rodata");
    const at = constants === 0n ? 0n : this.#bpf.initialValue(constants, new Uint8Array(8));
    if (at !== 0n) new Uint32Array(this.#bpf.view(at, 4))[0] = this.#level;
  }

  #attach(object: bigint, name: string, toCgroup: boolean): bigint {
    const program = this.#bpf.findProgram(object, name);
    if (!toCgroup) return this.#linked(this.#bpf.attach(program), name);
    const directory = openSync(this.#options.cgroup as string, "r");
    try {
      return this.#linked(this.#bpf.attachCgroup(program, directory), name);
    } finally {
      closeSync(directory); // the link holds the cgroup
    }
  }

  #linked(link: bigint, name: string): bigint {
    if (link === 0n) throw new Error(`${name} cannot be attached: ${this.#bpf.why()}`);
    return link;
  }
}

/** Of our own pid namespace in the kernel's tree, which no file tells: 0 on a host, more in a container. */
function ownLevel(bpf: Native): number {
  const object = open(bpf, "level");
  try {
    must(bpf.loadObject(object), "the kernel refuses BPF programs");
    const options = new Uint8Array(80); // struct bpf_test_run_opts: its size first, the program's answer at 56
    const fields = new DataView(options.buffer);
    fields.setBigUint64(0, 80n, true);
    must(bpf.testRun(bpf.programFd(bpf.findProgram(object, "own")), options), "a BPF program cannot be run by hand");
    return fields.getUint32(56, true);
  } finally {
    bpf.closeObject(object);
  }
}

function open(bpf: Native, name: string): bigint {
  const object = bpf.openObject(`${BUILD}${name}.bpf.o`);
  if (object === 0n) throw new Error(`${name}.bpf.o cannot be opened: ${bpf.why()}`);
  return object;
}

function must(result: number, what: string): void {
  if (result < 0) throw new Error(`${what}: ${errorText(result)}`);
}
