import type { Terminal } from "../terminal/terminal.ts";

/** Exit 0 when every attack was contained. */
export async function demo(flags: { json?: boolean }, terminal: Terminal): Promise<number> {
  const { demoCommand } = await import("../demo/index.ts");
  return await demoCommand({ json: flags.json === true, color: terminal.paint("bold", "x") !== "x", out: process.stdout, err: process.stderr });
}
