import { chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bindPrivately } from "./socket.ts";

const SERVER = 1_234_567;
const root = process.geteuid?.() === 0;
let home: string;
let path: string;
let servers: Server[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "plastron-socket-"));
  path = join(home, "agent", "agent.sock");
  servers = [];
});
afterEach(() => {
  for (const server of servers) server.close();
  rmSync(home, { recursive: true, force: true });
});

function bind(owner: number): Promise<void> {
  const server = createServer();
  servers.push(server);
  return bindPrivately(server, path, owner);
}

describe("the agent's socket", () => {
  it("can be reached by the server's uid only [needs: root]", async ({ skip }) => {
    if (!root) skip();
    await bind(SERVER);
    expect(statSync(join(home, "agent"))).toMatchObject({ uid: SERVER, mode: 0o40700 });
    const socket = lstatSync(path);
    expect([socket.uid, socket.mode & 0o777, socket.isSocket()]).toEqual([SERVER, 0o600, true]);
  });

  it("replaces what a dead agent left, and never a living one", async () => {
    const own = process.geteuid?.() ?? 0;
    await bind(own);
    await expect(bind(own)).rejects.toMatchObject({ code: "conflict" });
    servers[0]?.close();
    writeFileSync(join(home, "marker"), "");
    await bind(own);
    expect(lstatSync(path).isSocket()).toBe(true);
  });

  it("does not follow a link that the server's uid planted [needs: root]", async ({ skip }) => {
    if (!root) skip();
    const victim = join(home, "victim");
    writeFileSync(victim, "mine", { mode: 0o600 });
    mkdirSync(join(home, "agent"));
    chownSync(join(home, "agent"), SERVER, SERVER);
    symlinkSync(victim, path);
    await expect(bind(SERVER)).rejects.toMatchObject({ code: "sandbox_failed" });
    expect(statSync(victim)).toMatchObject({ uid: 0, mode: 0o100600 });
  });

  it("needs a directory in which to be", async () => {
    writeFileSync(join(home, "file"), "");
    symlinkSync(home, join(home, "agent"));
    await expect(bind(0)).rejects.toMatchObject({ code: "sandbox_failed" });
  });
});
