import { z } from "zod";
import type { Principal } from "../auth/principal.ts";
import type { DifyService } from "./service.ts";

const listSchema = z.array(z.object({ name: z.string(), version: z.string() }));
export type Dependency = z.infer<typeof listSchema>[number];

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

/** The Python packages that programs can import, looked up once and then kept until a refresh. */
export class PythonDependencies {
  readonly #service: Pick<DifyService, "execute">;
  #known: Promise<Dependency[]> | undefined;
  constructor(service: Pick<DifyService, "execute">) {
    this.#service = service;
  }

  /** @throws PlastronError, or Error where the interpreter does not answer */
  list(principal: Principal): Promise<Dependency[]> {
    this.#known ??= this.refresh(principal);
    return this.#known;
  }

  refresh(principal: Principal): Promise<Dependency[]> {
    const asked = this.#ask(principal);
    this.#known = asked;
    asked.catch(() => {
      if (this.#known === asked) this.#known = undefined;
    });
    return asked;
  }

  async #ask(principal: Principal): Promise<Dependency[]> {
    const run = await this.#service.execute({ principal, runtime: "python3", code: PROGRAM, receivedAt: performance.now(), authUs: 0 });
    if (run.status !== "completed") throw new Error(`listing the packages ended as ${run.status}`);
    return listSchema.parse(JSON.parse(run.stdout));
  }
}
