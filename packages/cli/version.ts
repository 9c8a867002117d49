import { readFileSync } from "node:fs";

/** The version of the whole checkout: the root package's. */
export const VERSION: string = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
