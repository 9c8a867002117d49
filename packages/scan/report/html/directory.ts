import type { Finding } from "@plastron/contracts";
import { lastingKey } from "../../findings/places.ts";

/** Two names deep, or the file where it lies at the top. */
export function directoryOf({ place }: Finding): string {
  const names = lastingKey(place).split("/");
  return names.length > 1 ? `${names.slice(0, Math.min(2, names.length - 1)).join("/")}/` : lastingKey(place);
}
