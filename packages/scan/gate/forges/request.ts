import { PlastronError } from "@plastron/contracts";

/** A request to a forge as data: who sends it knows the token, and nothing of what it says. */
export interface ForgeRequest {
  readonly method: "POST" | "PATCH";
  /** Below the forge's API root; `{id}` stands for the id that the first answer gave. */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Where the result of a gate is shown. */
export interface Target {
  /** `owner/name`, or GitLab's project number or path. */
  readonly repository: string;
  /** The commit that was judged. */
  readonly commit: string;
  /** The check's name, where it is not the usual one. */
  readonly check?: string | undefined;
  /** Where a person reads more; none where there is no such page. */
  readonly details_url?: string | undefined;
}

/** Text that is cut to what a forge takes, by characters: half of a pair is never left. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** One segment of a path: what comes from outside must not lead to another end point. `..` does in every spelling, so it is refused. */
export function segment(text: string): string {
  if (/^\.*$/.test(text))
    throw new PlastronError("invalid_request", `${JSON.stringify(text)} is no name on a forge`, { hint: "Name the repository as OWNER/NAME." });
  return encodeURIComponent(text);
}
