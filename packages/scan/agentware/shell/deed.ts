/** What a command, or several together, do. `inner` is a text it would run, to be read in its turn. */
export interface Deed {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly detail: string;
  readonly traits: readonly string[];
  readonly inner?: { readonly text: string; readonly layer: string };
}
