import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Image, PlastronError, TYPICAL_HOST } from "@plastron/contracts";
import type { BuildOrder } from "@plastron/sandbox";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Agent, startAgent } from "./agent.ts";
import { confineBuilds } from "./registry.ts";
import { FakeDriver } from "./testing/fake-driver.ts";
import { ask, peer, summary } from "./testing/peer.ts";

const IMAGE: Image = {
  ...{ id: "a".repeat(64), from: "python3", lock: "l", lock_sha256: "b", packages: [], files: 1, bytes: 2, built_at: "2026-01-01T00:00:00.000Z" },
};
const build = { op: "image.build", packages: { from: "python3", requirements: "leaf" }, tenant: "ten_a", wall_ms: 5_000 };
const home = mkdtempSync(join(tmpdir(), "plastron-agent-images-"));
const socket = join(home, "agent", "agent.sock");
let agent: Agent;
let orders: BuildOrder[];
let driver: FakeDriver & { images?: unknown };

beforeEach(async () => {
  orders = [];
  driver = new FakeDriver();
  const never = () => Promise.reject(new Error("not asked for"));
  const parts = { driver, doctor: never, hostFacts: async () => TYPICAL_HOST, permissive: false, runNetwork: "allow" as const, log() {} };
  agent = await startAgent(async () => parts as never, { socket, serverUid: process.geteuid?.() ?? 0 });
});
afterEach(async () => {
  await agent.close(0);
  rmSync(home, { recursive: true, force: true });
});

function give(make: (order: BuildOrder) => Promise<Image>): void {
  driver.images = {
    build: (order: BuildOrder) => {
      orders.push(order);
      return make(order);
    },
    list: () => [IMAGE],
    remove: (id: string) => (id === IMAGE.id ? Promise.resolve() : Promise.reject(new PlastronError("not_found", "no such image"))),
  };
}

it("builds, telling what the installer prints, and answers with the image", async () => {
  give(async ({ progress }) => {
    await progress(Buffer.from("Collecting leaf\n"));
    return IMAGE;
  });
  expect(await ask(socket, build)).toMatchObject({ types: "OX", text: "Collecting leaf\n", last: IMAGE });
  expect(orders[0]).toMatchObject({ packages: { from: "python3", requirements: "leaf" }, tenant: "ten_a", wall_ms: 5_000 });
});

it("ends a build whose orderer has gone, or asks for its end", async () => {
  give(
    ({ signal }) => new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new PlastronError("packages_failed", String(signal.reason))))),
  );
  const one = await peer(socket);
  one.send("Q", JSON.stringify(build));
  while (orders.length === 0) await new Promise((later) => setTimeout(later, 5));
  one.send("K", "no longer wanted");
  expect(summary(await one.closed)).toMatchObject({ type: "P", last: { code: "packages_failed", detail: "no longer wanted" } });
  const two = await peer(socket);
  two.send("Q", JSON.stringify(build));
  while (orders.length < 2) await new Promise((later) => setTimeout(later, 5));
  two.socket.destroy();
  while (!orders[1]?.signal?.aborted) await new Promise((later) => setTimeout(later, 5));
});

it("lists and removes images, and says by name where the driver has none", async () => {
  expect((await ask(socket, { op: "image.list" })).last).toEqual({ images: [] });
  expect((await ask(socket, build)).last).toMatchObject({ code: "packages_failed", detail: expect.stringContaining("fake driver") });
  give(async () => IMAGE);
  expect((await ask(socket, { op: "image.list" })).last).toEqual({ images: [IMAGE] });
  expect((await ask(socket, { op: "image.remove", image: IMAGE.id })).type).toBe("X");
  expect((await ask(socket, { op: "image.remove", image: "c".repeat(64) })).last).toMatchObject({ code: "not_found" });
  expect((await ask(socket, { op: "image.remove", image: "../../etc" })).last).toMatchObject({ code: "invalid_request" });
});

it("confines builds by the built-in policy, with their registry's names and ports as the only way out", () => {
  const confine = confineBuilds(TYPICAL_HOST);
  const { network, seccomp } = confine([{ host: "packages.test", port: 8443 }]);
  expect(seccomp).not.toBe("");
  expect(network).toMatchObject({ default_action: "deny", addresses: [] });
  expect(network?.http.every(({ match }) => match.hosts.join() === "packages.test" && match.ports.flat().every((port) => port === 8443))).toBe(true);
  expect(confine([]).network).toBeNull();
});
