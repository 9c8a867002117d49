import { z } from "zod";
import type { Principal } from "../auth/principal.ts";
import type { RuntimeService } from "../runtimes/service.ts";
import { DIFY_RUNTIMES, type DifyService } from "./service.ts";

const listSchema = z.array(z.object({ name: z.string(), version: z.string() }));
export type Dependency = z.infer<typeof listSchema>[number];

const UPDATE_MS = 600_000;

/** Asks the interpreter of the sandbox itself, in a sandbox: what it can import there is what a program can import. */
const PROGRAM = `
import importlib.metadata, json
found = {}
for d in importlib.metadata.distributions():
    name = d.metadata["Name"]
    if name:
        found.setdefault(name.lower(), {"name": name, "version": d.version or ""})
print(json.dumps(sorted(found.values(), key=lambda d: d["name"].lower())))
`;

/**
 * The Python packages that programs of Dify can import: those of the tenant's runtime for this door, as they were installed; where it
 * has none, the interpreter's own, looked up once and then kept until a refresh.
 */
export class PythonDependencies {
  readonly #service: Pick<DifyService, "execute" | "packages">;
  readonly #runtimes: Pick<RuntimeService, "update">;
  #known: Promise<Dependency[]> | undefined;
  constructor(service: Pick<DifyService, "execute" | "packages">, runtimes: Pick<RuntimeService, "update">) {
    this.#service = service;
    this.#runtimes = runtimes;
  }

  /** @throws PlastronError, or Error where the interpreter does not answer */
  async list(principal: Principal): Promise<Dependency[]> {
    const packed = await this.#ofRuntime(principal);
    if (packed) return packed;
    return this.#known ?? this.#askAgain(principal);
  }

  async refresh(principal: Principal): Promise<Dependency[]> {
    return (await this.#ofRuntime(principal)) ?? this.#askAgain(principal);
  }

  /**
   * Makes the next version of the runtime, of what it was asked for, as the registry has it now. The packages of the interpreter's own
   * are the machine's, which nobody updates through here. @throws PlastronError packages_failed
   */
  async update(principal: Principal): Promise<void> {
    if ((await this.#ofRuntime(principal)) === undefined) return void (await this.#askAgain(principal));
    await this.#runtimes.update(principal, DIFY_RUNTIMES.python3, () => null, { timeoutMs: UPDATE_MS, progress() {} });
  }

  async #ofRuntime({ tenant }: Principal): Promise<Dependency[] | undefined> {
    const packed = await this.#service.packages(tenant, "python3");
    return packed?.packages.map(({ name, version }) => ({ name, version }));
  }

  #askAgain(principal: Principal): Promise<Dependency[]> {
    const asked = this.#ask(principal);
    this.#known = asked;
    asked.catch(() => {
      if (this.#known === asked) this.#known = undefined;
    });
    return asked;
  }

  async #ask(principal: Principal): Promise<Dependency[]> {
    const run = await this.#service.execute({ principal, runtime: "python3", code: PROGRAM, receivedAt: performance.now(), authUs: 0, enableNetwork: false });
    if (run.status !== "completed") throw new Error(`listing the packages ended as ${run.status}`);
    return listSchema.parse(JSON.parse(run.stdout));
  }
}
