import { describe, expect, it } from "vitest";
import { type Attack, attack, type Trial, WEAK_USER } from "./attack.ts";
import { play } from "./play.ts";
import { goesWell, showComplaints, showJson, showTable, showUnavailable } from "./show.ts";
import type { Evidence } from "./stage/stage.ts";

type Answers = Partial<Record<Trial["place"]["kind"], string>>;
const plain = { columns: 100, paint: (_style: string, text: string) => text };
const running = new AbortController().signal;

const given: Attack = attack({ id: "steal", title: "Stealing", story: "Something is gone.", rule: "no-stealing", weak: WEAK_USER, code: "" });

/** A stage on which a program in a place says what was agreed; it notes who came when. */
function stageOf(answers: Answers, seen: string[] = []) {
  return {
    run: async (trial: Trial): Promise<Evidence> => {
      seen.push(trial.place.kind);
      const word = answers[trial.place.kind];
      if (word === undefined) throw new Error("no sandbox could be made");
      return {
        stdout: `::control\n::attempted\n${word}\n`,
        stderr: "",
        received: 0,
        marked: { during: 0, after: 0 },
        result: { status: "completed", limits_hit: [] } as never,
      };
    },
  };
}

const playOne = (answers: Answers, attack: Attack = given, seen?: string[]) => play([attack], stageOf(answers, seen), () => {}, running);

describe("a played attack", () => {
  it("is shown without first, then with", async () => {
    const seen: string[] = [];
    const played = await playOne({ weak: "::succeeded gone", policy: "::denied EPERM" }, given, seen);
    expect(seen).toEqual(["weak", "policy"]);
    expect(goesWell(played)).toBe(true);
    expect(showJson(played).map((text) => JSON.parse(text))).toEqual([{ attack: "Stealing", without: "succeeded", contained: true, rule: "no-stealing" }]);
  });

  it.each<[string, Answers, string, boolean]>([
    ["did not work without the control", { weak: "::denied EPERM", policy: "::denied EPERM" }, "FAILED", true],
    ["got through the policy", { weak: "::succeeded x", policy: "::succeeded x" }, "ESCAPED", false],
    ["broke under the policy", { weak: "::succeeded x", policy: "" }, "ESCAPED", false],
    ["found no sandbox", {}, "no sandbox could be made", false],
  ])("that %s spoils the demo", async (_, answers, shown, contained) => {
    const played = await playOne(answers);
    expect(goesWell(played)).toBe(false);
    expect(JSON.parse(showJson(played)[0] as string).contained).toBe(contained);
    expect(showTable(played, 1, plain).join("\n")).toContain(shown);
    expect(showComplaints(played).join("\n")).toContain("Stealing");
  });

  it("is left out by name where the kernel lacks what it attacks, and only then", async () => {
    const optional: Attack = { ...given, optional: true };
    const absent = await playOne({ weak: "::absent ENOSYS", policy: "::denied EPERM" }, optional);
    expect(absent).toEqual({ rows: [], left_out: [{ attack: optional, why: "ENOSYS" }] });
    expect((await playOne({ weak: "::absent ENOSYS", policy: "::denied EPERM" })).rows).toHaveLength(1);
    expect((await playOne({ weak: "", policy: "::denied EPERM" }, optional)).rows[0]?.without.ok).toBe(false);
  });

  it("that is heavy never runs beside another heavy one", async () => {
    let running = 0;
    let most = 0;
    const slow = {
      run: async (): Promise<Evidence> => {
        most = Math.max(most, ++running);
        await new Promise((done) => setTimeout(done, 5));
        running--;
        throw new Error("nothing to see");
      },
    };
    const three = (heavy: true | undefined) => ["a", "b", "c"].map((id): Attack => ({ ...given, id, heavy }));
    await play(three(true), slow, () => {}, new AbortController().signal);
    expect(most).toBe(1);
    await play(three(undefined), slow, () => {}, new AbortController().signal);
    expect(most).toBe(3);
  });

  it("is not begun after an interruption", async () => {
    const seen: string[] = [];
    await play([given], stageOf({}, seen), () => {}, AbortSignal.abort());
    expect(seen).toEqual([]);
  });
});

describe("the table", () => {
  const long: Attack = {
    ...given,
    cve: "CVE-2000-1",
    title: "taking a great many things away from a great many people",
    rule: "disallow-load-bpf-via-setsockopt",
  };
  it("fits a narrow terminal and keeps a rule's name whole", async () => {
    const played = await playOne({ weak: "::succeeded x", policy: "::denied EPERM" }, long);
    const lines = showTable(played, 2.34, { ...plain, columns: 84 });
    for (const text of lines) expect(text.length).toBeLessThanOrEqual(84);
    expect(lines.join("\n")).toContain("disallow-load-bpf-via-setsockopt");
    expect(lines.at(-1)).toBe("1 attack: 1 succeeded without the policy, 1 contained with it, in 2.3 s.");
  });

  it("gives a pipe whole lines", async () => {
    const played = await playOne({ weak: "::succeeded x", policy: "::denied EPERM" }, long);
    const [, row] = showTable(played, 1, { ...plain, columns: Number.POSITIVE_INFINITY });
    expect(row).toBe(`✓  CVE-2000-1: ${long.title}  succeeded  contained  ${long.rule}`);
  });

  it("says what the kernel lacks and does not count it", async () => {
    const played = await playOne({ weak: "::absent ENOSYS" }, { ...given, optional: true });
    const text = showTable({ ...played, rows: [] }, 1, plain).join("\n");
    expect(text).toContain("not shown: Stealing: this kernel does not have it (ENOSYS)");
    expect(text).toContain("0 attacks");
  });
});

describe("where nothing can be shown", () => {
  it("every row says why", () => {
    const rows = showUnavailable([given], "it needs root", true).map((text) => JSON.parse(text));
    expect(rows).toEqual([{ attack: "Stealing", without: "unavailable: it needs root", contained: false, rule: "no-stealing" }]);
    expect(showUnavailable([given], "it needs root", false).join("\n")).toContain("it needs root");
  });
});
