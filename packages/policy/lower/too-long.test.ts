import { PlastronError, TYPICAL_HOST } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "../compile.ts";
import { policyOf } from "../testing/policies.ts";

describe("rules on system calls that no filter of the kernel's can hold", () => {
  const rules = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      names: ["read", "write", "close", "fstat", "lseek", "mmap"],
      action: "SCMP_ACT_ERRNO",
      args: Array.from({ length: 6 }, (_, index) => ({ index, value: i * 977 + index * 131, op: "SCMP_CMP_GT" })),
    }));
  const compiled = (count: number) => compilePolicy(policyOf([], { syscallRawRules: rules(count) }), TYPICAL_HOST);

  it("are the policy's fault, and said to be", () => {
    expect(compiled(2).confinement.seccomp.length).toBeGreaterThan(0);
    try {
      compiled(100);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(PlastronError);
      expect(error).toMatchObject({ code: "invalid_policy", message: expect.stringContaining("the kernel takes 4096") });
    }
  });
});
