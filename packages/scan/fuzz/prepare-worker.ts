/** Parses hostile sources in a process that may read nothing but this checkout and starts nothing (prepare.ts): files in on stdin, prepared ones out on stdout. */
import { readFileSync, writeSync } from "node:fs";
import type { PreparedFile } from "./harness.ts";
import { prepareJavascript } from "./javascript/prepare.ts";

const prepared = prepareJavascript(JSON.parse(readFileSync(0, "utf8")) as PreparedFile[]);
const bytes = Buffer.from(JSON.stringify(prepared));
for (let at = 0; at < bytes.length; ) {
  try {
    at += writeSync(1, bytes, at);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
  }
}
