import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Run } from "../client/client.ts";
import { CHECKOUT } from "../lifecycle/home.ts";
import { ownOrders } from "./own-run.ts";

const possible = process.getuid?.() === 0 && existsSync(join(CHECKOUT, "packages/sandbox/native/build/plastron-launcher"));
const own = () => readdirSync(tmpdir()).filter((name) => name.startsWith("plastron-own-")).length;

it.each([
  ["policy", "--policy"],
  ["runtime", "--runtime"],
  ["secrets", "--secret"],
])("what only a server has, such as a %s, is refused", (field, flag) => {
  expect(() => ownOrders({ language: "bash", code: "", [field]: "x" }, undefined)).toThrow(`${flag} needs a server`);
});

describe.runIf(possible)("a run without a server [needs: root]", { timeout: 60_000 }, () => {
  it("tells its output as it comes and its denials with their rules, and leaves nothing", async () => {
    const before = own();
    const orders = ownOrders({ language: "bash", code: "echo out; echo err >&2; : > /etc/x; exit 3", trace: true }, undefined);
    const events: string[] = [];
    let run: Run | undefined;
    for await (const { event, data } of orders.events()) {
      events.push(event);
      if (event === "result") run = JSON.parse(data) as Run;
    }
    expect([events[0], events.at(-1), new Set(events)]).toEqual(["started", "result", new Set(["started", "stdout", "stderr", "result"])]);
    expect(run).toMatchObject({ status: "failed", exit_code: 3, language: "bash", policy: { name: "default", version: null } });
    if (run?.telemetry?.level !== "none") {
      expect(run?.violations).toMatchObject([{ rule_id: "disable-write-etc", audited: false, event: { path: "/etc/x" } }]);
      expect(run?.telemetry?.denials).toMatchObject([{ path: "/etc/x", rule: "disable-write-etc" }]);
      expect(run?.telemetry?.timeline?.length).toBeGreaterThan(0);
    }
    expect(own()).toBeLessThanOrEqual(before);
  });

  it("reaches what it asks for and nothing else, by a way out of its own", async () => {
    const code =
      "import socket\nfor name in ('localhost.example.com', 'other.test'):\n  try: print(name, socket.getaddrinfo(name, 80)[0][4][0])\n  except OSError as e: print(name, 'no')";
    const orders = (network: object) => ownOrders({ language: "python3", code, network } as never, undefined).plain();
    const run = await orders({ allow: [{ domains: ["allowed.test"] }] });
    expect(run).toMatchObject({ status: "completed", stdout: "localhost.example.com no\nother.test no\n" });
    expect(run.violations).toMatchObject([{ rule_id: "network.allow", hint: expect.stringContaining("--allow-net localhost.example.com") }, {}]);
    await expect(orders({ allow: [{ domains: ["*.com"] }] })).rejects.toMatchObject({ code: "invalid_request" });
  });

  it("whose policy is not valid says where", async () => {
    const source = { name: "p.yaml", text: "apiVersion: nonsense" };
    await expect(ownOrders({ language: "bash", code: "x" }, source).plain()).rejects.toMatchObject({ code: "invalid_policy" });
  });
});
