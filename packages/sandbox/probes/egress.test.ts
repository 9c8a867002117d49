import { describe, expect, it } from "vitest";
import { EGRESS_BOUND } from "../drivers/local/egress-bound.ts";
import { egressProbes } from "./egress.ts";
import { tryProbe } from "./probe.ts";

const isRoot = process.getuid?.() === 0;
const row = (bound?: readonly string[]) => tryProbe(egressProbes(bound)[0] as ReturnType<typeof egressProbes>[number]);

describe.runIf(isRoot)("[needs: root] the doctor's row on the way out", () => {
  it("is working where its parts are there", async () => {
    expect(await row()).toMatchObject({ id: "egress", status: "working" });
  });

  it.each([
    ["the program that takes rights away is", EGRESS_BOUND.map((word) => word.replace("/usr/bin/setpriv", "/nowhere/setpriv")), "/nowhere/setpriv"],
    ["the program that forbids core files is", ["/nowhere/prlimit", ...EGRESS_BOUND.slice(1)], "/nowhere/prlimit is not there"],
    ["a right that is to be kept is", [...EGRESS_BOUND.slice(0, -1), "--bounding-set=+nonsense"], "nonsense"],
  ])("is missing, and says what to install, where %s not there", async (_, bound, why) => {
    expect(await row(bound)).toMatchObject({ status: "missing", detail: expect.stringContaining(why), remedy: expect.stringContaining("util-linux") });
  });
});
