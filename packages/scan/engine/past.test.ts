import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { Repository } from "../../../test/fixtures/repository.ts";
import { parseGatePolicy } from "../gate/policy.ts";
import { fill } from "../secrets/testing/template.ts";
import { type Judgement, judgeChange } from "./change.ts";
import { judgePush } from "./push.ts";

const [TOKEN, OTHER] = [fill("ghp_{{crc62}}", "past one"), fill("ghp_{{crc62}}", "past other")];
const policy = parseGatePolicy("version: 1\nrequired: [secrets]\n");
const scan = { analysers: ["secrets" as const], cache: null, workers: 1 };

describe("what a change's commits brought and took away again [needs: git]", { timeout: 120_000 }, () => {
  let repository: Repository;
  let base: string;
  const judged = (more: { base?: string | null } = {}): Promise<Judgement> =>
    judgeChange({ repository: repository.path, base, head: "HEAD", policy, scan, ...more });
  const places = ({ head }: Judgement) => head.findings.map(({ place }) => [place.path, ...place.layers]);
  const take = (path: string) => {
    repository.git("rm", "-q", path);
    return repository.commit({});
  };

  beforeEach(() => {
    repository = Repository.made();
    base = repository.commit({ "a.js": "1\n" });
    return () => repository.remove();
  });

  test("a secret is denied though no file of the head has it, and the finding names the commit and not the secret", async () => {
    const commit = repository.commit({ "prod.env": `TOKEN=${TOKEN}\n` });
    take("prod.env");
    const judgement = await judged();
    expect(judgement.decision).toMatchObject({ decision: "deny", counted: [expect.any(String)] });
    expect(judgement.decision.reasons[0]?.hint).toContain("squash or rebase");
    expect(places(judgement)).toEqual([["prod.env", `commit:${commit}`]]);
    expect(JSON.stringify(judgement)).not.toContain(TOKEN.slice(6, 24));
  });

  test("one that is still there is one finding, and so is one that moved", async () => {
    repository.commit({ "prod.env": `TOKEN=${TOKEN}\n` });
    repository.git("mv", "prod.env", "moved.env");
    repository.commit({});
    expect(places(await judged())).toEqual([["moved.env"]]);
  });

  test("squashed, the change passes: nobody who fetches it gets the commit", async () => {
    repository.commit({ "prod.env": `TOKEN=${TOKEN}\n` });
    take("prod.env");
    repository.commit({ "b.js": "2\n" });
    repository.git("reset", "-q", "--soft", base);
    repository.commit({});
    expect((await judged()).decision.decision).toBe("pass");
  });

  test("a secret on a branch that was merged in, and one that only a merge had, are seen", async () => {
    repository.git("checkout", "-q", "-b", "side");
    const side = repository.commit({ "side.env": `TOKEN=${TOKEN}\n` });
    take("side.env");
    repository.git("checkout", "-q", "main");
    repository.commit({ "b.js": "2\n" });
    repository.git("merge", "-q", "--no-ff", "--no-commit", "side");
    const merge = repository.commit({ "evil.env": `TOKEN=${OTHER}\n` });
    take("evil.env");
    const judgement = await judged();
    expect(places(judgement).sort()).toEqual([
      ["evil.env", `commit:${merge}`],
      ["side.env", `commit:${side}`],
    ]);
    expect(judgement.decision.counted).toHaveLength(2);
  });

  test("what the base's own history has is nothing new, also where a merge brings it", async () => {
    repository.git("checkout", "-q", "-b", "feature");
    repository.commit({ "feature.js": "1\n" });
    repository.git("checkout", "-q", "main");
    repository.commit({ "old.env": `TOKEN=${TOKEN}\n` });
    repository.git("checkout", "-q", "feature");
    repository.git("merge", "-q", "--no-ff", "-m", "up to date", "main");
    repository.git("checkout", "-q", "main");
    base = take("old.env");
    repository.git("checkout", "-q", "feature");
    repository.git("merge", "-q", "--no-ff", "-m", "up to date again", "main");
    const judgement = await judged();
    expect(judgement.decision.decision).toBe("pass");
    repository.commit({ "old.env": `TOKEN=${TOKEN}\n` });
    take("old.env");
    expect((await judged()).decision.decision).toBe("pass");
    expect((await judged({ base: null })).decision.decision).toBe("deny");
  });

  test("a root of its own that is merged in is looked at, whatever the repository's settings leave out", async () => {
    repository.git("config", "log.showRoot", "false");
    repository.git("config", "diff.relative", "true");
    repository.git("checkout", "-q", "--orphan", "other");
    repository.git("rm", "-q", "-rf", ".");
    const root = repository.commit({ "prod.env": `TOKEN=${TOKEN}\n`, "sub/b.js": "1\n" });
    take("prod.env");
    repository.git("checkout", "-q", "main");
    repository.git("merge", "-q", "--no-ff", "--allow-unrelated-histories", "-m", "Merge other", "other");
    const { decision, head } = await judgeChange({ repository: join(repository.path, "sub"), base, head: "HEAD", policy, scan });
    expect([decision.decision, head.findings.map(({ place }) => place.layers)]).toEqual(["deny", [[`commit:${root}`]]]);
  });

  test("attributes hide nothing, and what stood in the base's files is known", async () => {
    base = repository.commit({ ".gitattributes": "*.env -diff binary\n*.txt export-ignore\n", "known.env": `TOKEN=${OTHER}\n` });
    repository.commit({ "prod.env": `TOKEN=${TOKEN}\n`, "known.env": `A=1\nTOKEN=${OTHER}\n` });
    take("prod.env");
    take("known.env");
    const judgement = await judged();
    expect(judgement.decision.decision).toBe("deny");
    expect(judgement.decision.counted).toHaveLength(1);
  });

  test("a push is judged by all of its commits, too", async () => {
    const head = (() => {
      repository.git("checkout", "-q", "-b", "feature");
      repository.commit({ "prod.env": `TOKEN=${TOKEN}\n` });
      take("prod.env");
      repository.git("checkout", "-q", "--detach", base);
      repository.git("merge", "-q", "--no-ff", "-m", "Merge feature", "feature");
      return repository.git("rev-parse", "HEAD");
    })();
    let judgements = 0;
    for await (const { judgement } of judgePush({ repository: repository.path, input: `${base} ${head} refs/heads/main\n`, policy, scan })) {
      judgements++;
      expect(judgement?.decision).toMatchObject({ decision: "deny", counted: [expect.any(String)] });
    }
    expect(judgements).toBe(1);
  });

  test("is not read where nobody asks for secrets", async () => {
    repository.commit({ "prod.env": `TOKEN=${TOKEN}\n` });
    take("prod.env");
    const { head } = await judgeChange({ repository: repository.path, base, head: "HEAD", policy, scan: { ...scan, analysers: ["agentware"] } });
    expect(head.coverage.notes.join()).not.toContain("history");
  });
});
