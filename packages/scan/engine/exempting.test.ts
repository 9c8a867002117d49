import { beforeEach, describe, expect, test } from "vitest";
import { Repository } from "../../../test/fixtures/repository.ts";
import { EXEMPTIONS_PATH, type Exemption, parseExemptions } from "../exemptions/index.ts";
import { parseGatePolicy } from "../gate/policy.ts";
import { judgeChange } from "./change.ts";

const lock = (version: string) =>
  JSON.stringify({
    ...{ name: "shop", version: "1.0.0", lockfileVersion: 3 },
    packages: {
      "": { name: "shop", version: "1.0.0", dependencies: { lodash: version } },
      "node_modules/lodash": { version, integrity: `sha512-${"A".repeat(86)}==` },
    },
  });
const WEAK = { "package-lock.json": lock("4.17.15") };
const exemptions = (expires = "2026-03-20") => ({
  [EXEMPTIONS_PATH]: `version: 1
exemptions:
  - id: EX-1
    scope: {dependency: "npm:lodash", versions: "<4.17.21"}
    reason: Only used to pad strings of our own.
    author: ann@example.test
    approver: bea@example.test
    created: 2026-02-20
    expires: ${expires}
`,
});

describe("a change judged with exemptions", { timeout: 120_000 }, () => {
  let repository: Repository;
  const judged = (base: string | null, more: { approvals?: string[]; exemptions?: Exemption[]; now?: Date } = {}) =>
    judgeChange({
      ...{ repository: repository.path, base, head: "HEAD", now: new Date("2026-03-01T12:00:00Z"), ...more },
      policy: parseGatePolicy("version: 1\nrequired: [dependencies]\n"),
      scan: { analysers: ["dependencies"], cache: null, workers: 1 },
    });

  beforeEach(() => {
    repository = Repository.made();
    repository.commit({ "package-lock.json": lock("4.17.21") });
    return () => repository.remove();
  });

  test("passes by one that stands at its base, and not once that has expired", async () => {
    const base = repository.commit(exemptions());
    repository.commit(WEAK);
    expect(await judged(base)).toMatchObject({ decision: { decision: "pass" } });
    const late = await judged(base, { now: new Date("2026-03-23T12:00:00Z") });
    expect(late.decision.decision).toBe("deny");
    expect(late.head.coverage.notes.join()).toContain("expired 3 days ago");
  });

  test("does not pass by one that was taken back since it branched off, and passes by one that came since", async () => {
    repository.commit(exemptions());
    repository.git("switch", "-q", "-c", "old");
    repository.commit(WEAK);
    repository.git("switch", "-q", "-");
    repository.git("rm", "-q", EXEMPTIONS_PATH);
    const without = repository.commit({ note: "it is needed no more" });
    const back = repository.commit(exemptions());
    repository.git("switch", "-q", "old");
    const refused = await judged(without);
    expect(refused.decision.decision).toBe("deny");
    expect(refused.head.coverage.notes.join()).toContain("EX-1 is new in this change");
    expect(await judged(back)).toMatchObject({ decision: { decision: "pass" } });
    repository.git("switch", "-q", "-c", "older", `${without}~2`);
    repository.commit(WEAK);
    expect(await judged(without)).toMatchObject({ decision: { decision: "deny" } });
    expect(await judged(back)).toMatchObject({ decision: { decision: "pass" } });
  });

  test("passes by one that whoever runs the gate gives, but not where its approver wrote the change", async () => {
    const base = repository.git("rev-parse", "HEAD");
    repository.commit(WEAK);
    const given = parseExemptions(exemptions()[EXEMPTIONS_PATH] as string);
    expect(await judged(base)).toMatchObject({ decision: { decision: "deny" } });
    expect(await judged(base, { exemptions: given })).toMatchObject({ decision: { decision: "pass" } });
    const author = repository.git("log", "-1", "--format=%ae");
    expect(await judged(base, { exemptions: given.map((one) => ({ ...one, approver: author })) })).toMatchObject({ decision: { decision: "deny" } });
  });

  test("does not pass by one that it brings itself, unless its approver approved the change", async () => {
    const base = repository.git("rev-parse", "HEAD");
    repository.commit({ ...WEAK, ...exemptions() });
    const refused = await judged(base);
    expect(refused.decision.decision).toBe("deny");
    expect(refused.head.coverage.notes.join()).toContain("EX-1 is new in this change");
    expect(await judged(base, { approvals: ["Bea <bea@example.test>"] })).toMatchObject({ decision: { decision: "pass" } });
    expect(await judged(null)).toMatchObject({ decision: { decision: "deny" } });
  });

  test("does not pass by one that its approver's own commit uses", async () => {
    const base = repository.commit(exemptions());
    repository.write(WEAK);
    repository.git("add", "-A");
    repository.gitWith({ GIT_AUTHOR_NAME: "Bea", GIT_AUTHOR_EMAIL: "bea@example.test" }, "commit", "-q", "-m", "a change");
    const refused = await judged(base);
    expect(refused.decision.decision).toBe("deny");
    expect(refused.head.coverage.notes.join()).toContain("wrote the code");
  });

  test("does not pass by a file that is not valid, and says where", async () => {
    const base = repository.commit(exemptions());
    repository.commit({ ...WEAK, [EXEMPTIONS_PATH]: "version: 1\nexemptions: 7\n" });
    const refused = await judged(base);
    expect(refused.decision.decision).toBe("deny");
    expect(refused.head.coverage.notes.join()).toMatch(/not valid.*line 2, column 13/);
  });
});
