import type { Image, PackageRequest, Runtime } from "@plastron/contracts";
import { PlastronError } from "@plastron/contracts";
import type { Base } from "./base.ts";
import { nodeBase, pythonBase } from "./base.ts";
import type { ImageStore } from "./store.ts";

/** An image as it is put into a sandbox: paths of this machine on the left, of the sandbox on the right. */
export interface ImageMount {
  id: string;
  tree: string;
  place: string;
  /** Shown without what this machine has there. */
  emptied: string[];
  empty: string;
  /** Directory of the packages' programs, which comes last on PATH. */
  programs: string;
}

/** What an agent can do about packages. */
export interface Images {
  /** Errors: invalid_request, packages_failed (with what the installer said last), overloaded, sandbox_failed. */
  build(order: BuildOrder): Promise<Image>;
  list(): Image[];
  /** Errors: not_found; conflict while something uses it. */
  remove(id: string): Promise<void>;
}

export interface BuildOrder {
  packages: PackageRequest;
  tenant: string;
  wall_ms: number;
  /** What the installer prints. */
  progress(chunk: Uint8Array): void | Promise<void>;
  signal?: AbortSignal | undefined;
}

/** The finished images, as sandboxes see them. */
export class Shelf {
  readonly store: ImageStore;
  readonly #held = new Map<string, number>();
  readonly #bases = new Map<Image["from"], Promise<Base>>();

  constructor(store: ImageStore) {
    this.store = store;
  }

  /** Errors: not_found; unsupported_runtime where it is another interpreter's; sandbox_failed where the image was changed. */
  async mount(id: string, runtime: Runtime): Promise<ImageMount> {
    const tree = await this.store.tree(id);
    const { from } = this.store.get(id) as Image;
    if (from !== runtime) throw new PlastronError("unsupported_runtime", `these packages are for ${from} and the program is for ${runtime}`);
    const { place, emptied, programs } = await this.#base(from);
    return { id, tree, place, emptied, empty: this.store.empty, programs: `${place}/${programs}` };
  }

  /** A sandbox has it until `gone`. */
  hold(id: string, gone: Promise<void>): void {
    this.#held.set(id, (this.#held.get(id) ?? 0) + 1);
    void gone.then(() => this.#held.set(id, (this.#held.get(id) ?? 1) - 1));
  }

  isHeld(id: string): boolean {
    return (this.#held.get(id) ?? 0) > 0;
  }

  #base(from: Image["from"]): Promise<Base> {
    const base = this.#bases.get(from) ?? (from === "python3" ? pythonBase() : Promise.resolve(nodeBase()));
    base.catch(() => this.#bases.delete(from));
    this.#bases.set(from, base);
    return base;
  }
}
