import { enableCompileCache } from "node:module";
import { join } from "node:path";

/**
 * `node packages/cli/main.ts ARGS`, called by the launcher. The version is answered before anything is loaded; the rest loads what
 * its command needs. Compiled code is kept inside the checkout, which is as trusted as the sources beside it (a shared temporary
 * directory would not be).
 */
const args = process.argv.slice(2);
process.stdout.on("error", ignoreClosedPipe);
process.stderr.on("error", ignoreClosedPipe);
enableCompileCache(join(import.meta.dirname, "../../node_modules/.cache/plastron"));
if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
  const { VERSION } = await import("./version.ts");
  process.stdout.write(`${VERSION}\n`);
} else {
  const { runCommandLine } = await import("./program.ts");
  process.exitCode = await runCommandLine(args);
}

/** `plastron … | head` is a reader that has seen enough, not a failure. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
  throw error;
}
