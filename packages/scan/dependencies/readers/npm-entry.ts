import type { Group } from "../facts.ts";
import { get, type Json, type JsonObject } from "./json.ts";

/** What npm wrote of why an entry of its lock file is there. */
export function groupOf(entry: JsonObject): Group {
  if (get(entry, "dev") === true || get(entry, "devOptional") === true) return "development";
  return get(entry, "optional") === true ? "optional" : get(entry, "peer") === true ? "peer" : "production";
}

/** A range as written, cut where nobody would write on. */
export function word(value: Json | undefined): string {
  return typeof value === "string" ? value.slice(0, 200) : "";
}
