import type { PlacedSecret } from "@plastron/contracts";
import { MIN_SECRET, shownForms } from "./forms.ts";
import { NoSecret, readSecret } from "./read.ts";
import { type Swap, swapText } from "./swap.ts";

/** Values of one sandbox whose return is looked for: its grants' as they are now, and as they were before they were changed. */
const MAX_KNOWN = 64;

/** A grant of the sandbox with its value as it is now, or why there is none. */
export interface Opened {
  placed: PlacedSecret;
  value: string | NoSecret;
}

/** What one sandbox may use and not have. It holds values only as long as the sandbox lives, and tells them to nobody but a request. */
export class Vault {
  readonly placed: readonly PlacedSecret[];
  readonly #known = new Map<string, string>();
  #extra: Swap[] = [];
  #swaps: Swap[] | undefined;

  constructor(placed: readonly PlacedSecret[]) {
    this.placed = placed;
  }

  /** Every grant, read anew, so that a new value holds at once; from now on none of them comes back in an answer. */
  async open(directory: string | null, tenant: string | null): Promise<Opened[]> {
    return Promise.all(
      this.placed.map(async (placed) => {
        const value = await this.#read(directory, tenant, placed).catch((error) => {
          if (error instanceof NoSecret) return error;
          throw error;
        });
        if (typeof value === "string") this.learn(value, placed.placeholder);
        return { placed, value };
      }),
    );
  }

  /** `substitute` is what the sandbox sees where a server sends `value` back. */
  learn(value: string, substitute: string): void {
    if (value.length < MIN_SECRET || this.#known.has(value)) return;
    if (this.#known.size >= MAX_KNOWN) this.#known.delete(this.#known.keys().next().value as string);
    this.#known.set(value, substitute);
    this.#swaps = undefined;
  }

  /** A form of a secret that this sandbox has made itself, such as the base64 of it with a name. */
  learnForm(sent: string, asked: string): void {
    const find = Buffer.from(sent, "latin1");
    if (this.#extra.some((swap) => swap.find.equals(find))) return;
    this.#extra = [...this.#extra.slice(1 - MAX_KNOWN), { find, put: Buffer.from(asked, "latin1") }];
    this.#swaps = undefined;
  }

  /** Whether anything has to be kept out of answers. */
  get guards(): boolean {
    return this.placed.length > 0 || this.#known.size > 0;
  }

  /** What answers are searched for. */
  get swaps(): readonly Swap[] {
    this.#swaps ??= [...[...this.#known].flatMap(([value, substitute]) => shownForms(value, substitute)), ...this.#extra];
    return this.#swaps;
  }

  clean(text: string): string {
    return swapText(text, this.swaps);
  }

  async #read(directory: string | null, tenant: string | null, { name, key }: PlacedSecret): Promise<string> {
    const value = await readSecret(directory, tenant, { name, key });
    if (value.length < MIN_SECRET) throw new NoSecret(`secret ${name}/${key} is shorter than ${MIN_SECRET} characters: it could not be kept out of answers`);
    if (/[^\x20-\x7e]/.test(value)) throw new NoSecret(`secret ${name}/${key} holds more than printable ASCII: it could not stand everywhere in a request`);
    return value;
  }
}
