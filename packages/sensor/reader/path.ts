import { posix } from "node:path";
import { type PathClass, pathClassOf } from "@plastron/contracts";
import { PART, PART_FLAG } from "../layout.ts";
import { type EventView, partAt, text } from "./event.ts";

/** A path that the kernel walked: names from the innermost outwards. `…/` where it was too long to be walked to its root. */
export function walked(event: EventView, part: number, order: "opened" | "asked" | "exec"): string {
  const at = partAt(event, part, order);
  if (at < 0) return "";
  const names = text(event.bytes, at, at + event.partSize(part) - 1)
    .split("\0")
    .reverse();
  const flags = event.partFlags(part);
  if (names.length === 1 && names[0] === "") return "/";
  return `${flags & PART_FLAG.cut ? "…" : ""}/${names.join("/")}${flags & PART_FLAG.deleted ? " (deleted)" : ""}`;
}

/** What was asked for, made absolute where its directory is known. */
export const asked = (event: EventView): string | null => absolute(event, said(event, PART.asked));

/** The second path of a call that has two; left relative where it begins in another directory than the first. */
export function askedSecond(event: EventView, areTogether: boolean): string | null {
  const second = said(event, PART.asked2);
  return areTogether || said(event, PART.asked)?.startsWith("/") ? absolute(event, second) : second;
}

function absolute(event: EventView, path: string | null): string | null {
  if (path === null || path.startsWith("/") || event.partSize(PART.directory) === 0) return path;
  return posix.join(walked(event, PART.directory, "asked"), path);
}

/** Text that the program gave; null where it could not be read. */
function said(event: EventView, part: number): string | null {
  const at = partAt(event, part, "asked");
  return at < 0 ? null : text(event.bytes, at, at + event.partSize(part) - 1);
}

/** What a path is to a sandbox. Where the program's name of it is not absolute it is no other than a place that is not known. */
export function classOf(path: string, flags: number): PathClass {
  if (flags & PART_FLAG.anonymous) return "anonymous";
  return path.startsWith("/") ? pathClassOf(path) : "other";
}
