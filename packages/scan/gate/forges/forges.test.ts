import type { operations } from "@octokit/openapi-types";
import type { GateDecision } from "@plastron/contracts";
import fc from "fast-check";
import { fromMarkdown } from "mdast-util-from-markdown";
import { describe, expect, test } from "vitest";
import { findingNamed } from "../../../../test/fixtures/findings.ts";
import { type Asked, faultsOf, readContract } from "../../../../test/fixtures/forge-contract.ts";
import { githubCheck, githubCheckEnd, githubCheckStart } from "./github.ts";
import type { ForgeRequest } from "./request.ts";
import { giteaStatus, gitlabStatus } from "./statuses.ts";
import { plain, summaryOf } from "./summary.ts";

const TARGET = { repository: "ann/shop", commit: "c".repeat(40) };
const TIMES = { started_at: "2026-01-01T00:00:00.000Z", completed_at: "2026-01-01T00:00:09.000Z" };
const many = (number: number) => Array.from({ length: number }, (_, i) => findingNamed({ fingerprint: i.toString(16) }));
const denied = (findings: { fingerprint: string }[], more: Partial<GateDecision> = {}): GateDecision => {
  const fingerprints = findings.map(({ fingerprint }) => fingerprint);
  const reason = { rule: "new.high", effect: "deny" as const, message: `${findings.length} findings are new`, hint: "End them.", fingerprints };
  return { decision: "deny", reasons: [reason], counted: fingerprints, exempted: 0, known: 0, ...more };
};

/** What GitHub's own description of its API says a request body is. */
type CheckBody = operations["checks/create"]["requestBody"]["content"]["application/json"];
type UpdateBody = NonNullable<operations["checks/update"]["requestBody"]>["content"]["application/json"];

describe("a GitHub check", () => {
  test("is what GitHub's published description takes", () => {
    const [first, second] = githubCheck(denied(many(60)), many(60), TARGET, TIMES);
    // The types are the contract: a field that GitHub does not know, or of another kind, does not compile.
    const body = first?.body as CheckBody & { status: "completed" };
    const created: CheckBody = {
      name: body.name,
      head_sha: body.head_sha,
      status: "completed",
      conclusion: body.conclusion as "failure",
      started_at: TIMES.started_at,
      completed_at: TIMES.completed_at,
      output: body.output as NonNullable<CheckBody["output"]>,
    };
    expect(first).toEqual({ method: "POST", path: "/repos/ann/shop/check-runs", body: created });
    const update: UpdateBody = { output: second?.body.output as NonNullable<UpdateBody["output"]> };
    expect(second).toEqual({ method: "PATCH", path: "/repos/ann/shop/check-runs/{id}", body: update });
    expect(created.output?.annotations?.[0]).toEqual({
      ...{ path: "src/a.js", start_line: 1, end_line: 1, start_column: 1, end_column: 2 },
      ...{ annotation_level: "failure", title: "high: Command injection", message: expect.any(String), raw_details: expect.any(String) },
    });
  });

  test("has at most fifty annotations a request, each finding that counted once, and none that did not", () => {
    const findings = many(120);
    const requests = githubCheck(denied(findings.slice(0, 101)), findings, TARGET, TIMES);
    const annotations = requests.map(({ body }) => (body.output as { annotations: unknown[] }).annotations.length);
    expect(annotations).toEqual([50, 50, 1]);
  });

  test("blocks a merge whenever the gate does not pass", () => {
    const conclusion = (decision: GateDecision["decision"]) => githubCheck(denied([], { decision }), [], TARGET, TIMES)[0]?.body.conclusion;
    expect([conclusion("pass"), conclusion("deny"), conclusion("hold")]).toEqual(["success", "failure", "failure"]);
  });

  test("columns are said of one line only, as GitHub demands", () => {
    const place = { path: "a.js", line: 3, column: 9, end_line: 5, end_column: 2, snippet: "", layers: [] };
    const finding = findingNamed({ fingerprint: "a", place });
    const [{ body }] = githubCheck(denied([finding]), [finding], TARGET, TIMES) as unknown as [{ body: { output: { annotations: object[] } } }];
    expect(body.output.annotations[0]).toMatchObject({ start_line: 3, end_line: 5 });
    expect(body.output.annotations[0]).not.toHaveProperty("start_column");
  });
});

describe("commit statuses", () => {
  test("GitLab's and Gitea's block as well", () => {
    const states = (make: typeof gitlabStatus) => (["pass", "deny", "hold"] as const).map((decision) => make(denied([], { decision }), TARGET)[0]?.body.state);
    expect(states(gitlabStatus)).toEqual(["success", "failed", "failed"]);
    expect(states(giteaStatus)).toEqual(["success", "failure", "error"]);
    expect(gitlabStatus(denied([]), { ...TARGET, repository: "group/sub/shop" })[0]?.path).toBe(`/projects/group%2Fsub%2Fshop/statuses/${TARGET.commit}`);
  });

  test("no name leads to another end point", () => {
    for (const repository of ["../../user/keys", "a/..", "./b", "a", "/b"])
      expect(() => githubCheck(denied([]), [], { ...TARGET, repository }, TIMES)).toThrow(/no name/);
    for (const repository of ["a/b?x=1", "a/b#", "a/%2e%2e", "a b/c\\..\\d"]) {
      const paths = [...githubCheck(denied([]), [], { ...TARGET, repository }, TIMES), ...gitlabStatus(denied([]), { ...TARGET, repository })].map(
        ({ path }) => path,
      );
      for (const path of paths) expect(new URL(`https://forge.test/api${path}`).pathname).toBe(`/api${path}`);
      for (const path of paths) expect(path).not.toMatch(/[?#]|\/\.\.?(\/|$)/);
    }
  });
});

describe("what forges publish of their APIs", () => {
  const headers = {
    github: { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28", "user-agent": "plastron" },
    gitlab: { "private-token": "made-up" },
    gitea: { authorization: "token made-up" },
  };
  const faults = (name: keyof typeof headers, requests: readonly ForgeRequest[]) =>
    requests.flatMap(({ method, path, body }) => {
      const asked: Asked = { method, path: path.replace("{id}", "4"), headers: { ...headers[name], "content-type": "application/json" }, body };
      return faultsOf(readContract(name), asked);
    });
  const decisions = (["pass", "deny", "hold"] as const).map((decision) => denied(many(120), { decision }));
  const pages = [{ ...TARGET }, { ...TARGET, details_url: "https://plastron.example/changes/1" }];

  test("takes every request that is made", () => {
    for (const decision of decisions) {
      for (const target of pages) {
        expect(faults("github", githubCheck(decision, many(120), target, TIMES))).toEqual([]);
        expect(faults("github", githubCheck(decision, many(120), target, TIMES, 4))).toEqual([]);
        expect(faults("gitlab", gitlabStatus(decision, target))).toEqual([]);
        expect(faults("gitea", giteaStatus(decision, target))).toEqual([]);
      }
    }
    const long = { title: "x".repeat(70_000), summary: "<y>".repeat(70_000) };
    expect(faults("github", [githubCheckStart(TARGET, TIMES.started_at, "chg_1")])).toEqual([]);
    expect(faults("github", [githubCheckEnd(TARGET, "failure", long, TIMES, 4), githubCheckEnd(TARGET, "cancelled", long, TIMES, 4)])).toEqual([]);
  });

  test("and says no to others: a test that cannot fail would say nothing", () => {
    const [good] = githubCheck(decisions[1] as GateDecision, many(3), TARGET, TIMES) as [ForgeRequest];
    const with_ = (body: object): ForgeRequest[] => [{ ...good, body: { ...good.body, ...body } }];
    const { output } = good.body as { output: { annotations: object[] } };
    expect(faults("github", with_({ conclusion: "denied" }))).not.toEqual([]);
    expect(faults("github", with_({ conclusion: undefined }))).not.toEqual([]);
    expect(faults("github", with_({ head_sha: "main" }))).not.toEqual([]);
    expect(faults("github", with_({ unknown: 1 }))).not.toEqual([]);
    expect(faults("github", with_({ output: { ...output, annotations: Array(51).fill(output.annotations[0]) } }))).not.toEqual([]);
    expect(faults("github", with_({ output: { ...output, annotations: [{ ...output.annotations[0], end_line: 9 }] } }))).not.toEqual([]);
    expect(faults("github", [{ method: "PATCH", path: "/repos/a/b/check-runs/4", body: { head_sha: TARGET.commit } }])).not.toEqual([]);
    expect(faults("gitlab", [{ method: "POST", path: "/projects/7/statuses/abc", body: { state: "failure" } }])).not.toEqual([]);
    expect(faults("gitea", [{ method: "POST", path: "/repos/a/b/statuses/abc", body: { state: "failed" } }])).not.toEqual([]);
    expect(faults("gitea", [{ method: "POST", path: "/repos/a/b/status/abc", body: {} }])).not.toEqual([]);
  });
});

describe("text of the artifact", () => {
  const hostile = [
    "</details><img src=x>",
    "[x](https://evil.test)",
    "@everyone",
    "![](https://evil.test/p.png)",
    "`code`",
    "a\nb\u202e",
    "https://evil.test",
    "| x |",
    "<!-- ",
  ];

  test("is plain text in a summary: it links, loads and mentions nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...hostile, "a", " ", "``"), { maxLength: 6 }), (parts) => {
        const text = parts.join("");
        const finding = findingNamed({
          fingerprint: "a",
          title: text.slice(0, 190),
          place: { ...findingNamed({ fingerprint: "a" }).place, path: `src/${text}` },
        });
        const summary = summaryOf(denied([finding]), [finding]);
        const kinds = new Set<string>();
        const walk = (node: { type: string; children?: unknown[] }) => {
          kinds.add(node.type);
          for (const child of node.children ?? []) walk(child as { type: string });
        };
        walk(fromMarkdown(summary));
        for (const kind of kinds) expect(["root", "paragraph", "text", "heading", "list", "listItem", "strong", "inlineCode"]).toContain(kind);
      }),
    );
    expect(plain("@ann")).not.toContain("@ann");
  });

  test("is cut to what a forge takes", () => {
    const findings = many(3000);
    expect(summaryOf(denied(findings), findings).length).toBeLessThan(65_000);
    const long = denied([], { reasons: [{ rule: "x", effect: "deny", message: "😀".repeat(400), hint: "", fingerprints: [] }] });
    const description = gitlabStatus(long, TARGET)[0]?.body.description as string;
    expect(description.length).toBeLessThanOrEqual(255);
    expect(description.isWellFormed()).toBe(true);
  });
});
