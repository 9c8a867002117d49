import type { Place } from "@plastron/contracts";

/** What a program may do to the world, as far as manifests, annotations and prose speak of it. */
export type Capability = "network" | "exec" | "write" | "environment" | `dify-${string}`;

/** Something that says of itself what it does not do, or what little it needs. */
export interface Claim {
  /** refuses: by name. leaves-out: it lists what it needs, and this is not on the list. */
  readonly kind: "refuses" | "leaves-out";
  readonly denies: readonly Capability[];
  /** Of `environment`: names that it lists, and those that its text tells of. */
  readonly names: readonly string[];
  /** The declaration as it stands, in words. */
  readonly detail: string;
  readonly place: Place;
}

/** What a file's text shows to be done that no outline of code tells. */
export interface Use {
  readonly capability: Capability;
  /** A name, or the call. */
  readonly detail: string;
  readonly line: number;
}

/** A tool that annotates itself. */
export interface AnnotatedTool {
  readonly name: string;
  readonly denies: readonly ("write" | "delete" | "network")[];
  readonly detail: string;
  /** Lines of its handler, and those of the functions of its file that this calls. */
  readonly own: readonly Lines[];
  readonly called: readonly Lines[];
  readonly place: Place;
}
export type Lines = readonly [first: number, last: number];

/** All of it that one file has. */
export interface Said {
  readonly claims: readonly Claim[];
  readonly uses: readonly Use[];
  readonly tools: readonly AnnotatedTool[];
}
