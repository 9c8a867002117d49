import { beforeAll, describe, expect, test } from "vitest";
import { appArmorProfile } from "../../packages/policy/backends/apparmor.ts";
import type { Order } from "../../packages/policy/orders/order.ts";
import { APPARMOR, apparmorFiles } from "./apparmor.ts";
import { type Booted, boot, lacking, stepOf } from "./guest.ts";

const absent = lacking("apparmor_parser");

const order: Order = {
  rule: "disable-access-shadow",
  path: "spec.policy.enhanceProtect.attackProtectionRules[0].rules[0]",
  enforcer: "AppArmor",
  deny: true,
  audit: true,
  intents: [{ kind: "file", glob: "/etc/shadow", permissions: ["read", "write"] }],
};

describe.skipIf(absent !== "")(`a generated AppArmor profile in a kernel that has AppArmor${absent}`, () => {
  let booted: Booted;
  beforeAll(async () => {
    const profiles = {
      deny: appArmorProfile("deny", [order]).text,
      observe: appArmorProfile("observe", [{ ...order, deny: false }]).text,
    };
    const script = ["step load-deny load deny", "step load-observe load observe"];
    for (const name of ["unconfined", "deny", "observe"]) script.push(`step ${name} under ${name} 'cat /etc/shadow'`);
    booted = await boot(`${APPARMOR}${script.join("\n")}\nstep log logged\n`, apparmorFiles(profiles));
  }, 60_000);

  test("the file is read without a policy, denied under it, and read and logged where the policy only observes", () => {
    expect(stepOf(booted, "load-deny")).toEqual({ output: "", status: 0 });
    expect(stepOf(booted, "unconfined").output).toContain("root:*");
    expect(stepOf(booted, "deny").status).not.toBe(0);
    expect(stepOf(booted, "deny").output).toContain("Permission denied");
    expect(stepOf(booted, "observe").output).toContain("root:*");
    const log = stepOf(booted, "log").output;
    expect(log).toMatch(/apparmor="DENIED".*profile="deny" name="\/etc\/shadow"/);
    expect(log).toMatch(/apparmor="AUDIT".*profile="observe" name="\/etc\/shadow"/);
  });
});
