import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Finding } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findingsOf } from "../../findings/index.ts";
import { PAYLOADS, resultSaying } from "../../testing/hostile.ts";
import { matchOf, resultOf } from "../../testing/result.ts";
import { render } from "../index.ts";
import { Browser, HAS_CHROMIUM, type Page } from "../testing/browser.ts";

/** The page as a person meets it: with a mouse, a keyboard, a telephone and a printer. */
describe.runIf(HAS_CHROMIUM)("[needs: chromium] the page in a browser", { timeout: 120_000 }, () => {
  let home: string;
  let browser: Browser;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "plastron-report-"));
    browser = new Browser();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(home, { recursive: true, force: true });
  });

  const open = (html: string, width = 1400) => {
    const file = join(home, "report.html");
    writeFileSync(file, html);
    return browser.open(pathToFileURL(file).href, width);
  };
  const shown = (page: Page) => page.evaluate<string[]>("[...document.querySelectorAll('.f:not([hidden]) .ti')].map((e) => e.firstChild.data.trim())");
  const quiet = (page: Page) => {
    expect(page.errors).toEqual([]);
    expect(page.requests).toEqual([pathToFileURL(join(home, "report.html")).href]);
  };

  test("each filter shows what it says, counts it, and is taken off again", async () => {
    const page = await open(render(resultOf(FINDINGS), "html"));
    expect((await shown(page)).toSorted()).toEqual(["Hidden text", "Injection", "Key", "Old lodash", "Weak hash"]);

    for (const [selector, expected] of [
      ["#filters label.chip.critical", ["Hidden text"]],
      ["#filters label.chip.secrets", ["Key"]],
      ['[data-set="a"][data-value="dependencies"]', ["Old lodash"]],
      ['[data-set="d"][data-value="src/"]', ["Injection", "Key"]],
      ['[data-set="d"][data-value="src/deep/"]', ["Weak hash"]],
      ['.sv [data-set="s"][data-value="low"]', ["Weak hash"]],
    ] as const) {
      await page.click(selector);
      await page.until(`document.getElementById("n").textContent === "${expected.length} of 6"`);
      expect((await shown(page)).toSorted(), selector).toEqual(expected);
      await page.click("#clear");
      await page.until('document.getElementById("n").textContent === "5 of 6"');
    }

    const tiles = await page.evaluate<string[][]>("[...document.querySelectorAll('.tile')].map((t) => [t.dataset.value, t.querySelector('b').textContent])");
    for (const [level, number] of tiles) {
      await page.click(`.tile.${level}`);
      await page.until(`document.getElementById("n").textContent === "${number} of 6"`);
      expect(await page.evaluate("document.getElementById('none').hidden")).toBe(number !== "0");
      await page.click(`.tile.${level}`);
    }
    await page.evaluate("(() => { const t = document.getElementById('t'); t.value = 'exempted'; t.dispatchEvent(new Event('change')); })()");
    expect(await shown(page)).toEqual(["Redirect"]);
    quiet(page);
  });

  test("numbers in the picture are those that a click on them shows", async () => {
    const page = await open(render(resultOf(FINDINGS), "html"));
    const parts = await page.evaluate<[string, string, string][]>(
      "[...document.querySelectorAll('[data-set]')].map((e) => [e.dataset.set, e.dataset.value, e.querySelector('b').textContent])",
    );
    expect(parts.length).toBeGreaterThan(10);
    for (const [set, value, number] of parts.filter(([, , number]) => /^[1-9]/.test(number))) {
      const selector = `[data-set="${set}"][data-value="${value}"]`;
      await page.click(selector);
      expect((await shown(page)).length, selector).toBe(Number(number));
      await page.click("#clear");
    }
  });

  test("search finds words of title, path and rule; all of them must be there", async () => {
    const page = await open(render(resultOf(FINDINGS), "html"));
    await page.click("#q");
    await page.type("lodash LOCK");
    await page.until('document.getElementById("n").textContent === "1 of 6"');
    expect(await shown(page)).toEqual(["Old lodash"]);
    await page.type(" nothing");
    await page.until('!document.getElementById("none").hidden');
    quiet(page);
  });

  test("a finding opens to its flow, from where data comes in to where it does harm, with the code marked", async () => {
    const page = await open(render(resultOf(FINDINGS), "html"));
    const at = "[...document.querySelectorAll('.f')].find((f) => f.textContent.includes('Injection'))";
    await page.evaluate(`(${at}.id = "one", ${at}.open = false)`);
    expect(await page.evaluate("document.querySelector('#one .flow').checkVisibility()")).toBe(false);
    await page.click("#one > summary");
    await page.until("document.querySelector('#one').open && document.querySelector('#one .flow').checkVisibility()");
    expect(await page.evaluate("[...document.querySelectorAll('#one .flow li')].map((l) => l.className)")).toEqual(["source", "call", "sink"]);
    expect(await page.evaluate("document.querySelector('#one .flow .sink mark').textContent")).toBe('exec("ls " + dir');
    expect(await page.evaluate("document.querySelector('#one .msg code').textContent")).toBe("exec");
    quiet(page);
  });

  test("the keyboard is enough: search, walk, open, close, help, no filters, light and dark", async () => {
    const page = await open(render(resultOf(FINDINGS), "html"));
    const focus = () => page.evaluate<string>("document.activeElement.id || document.activeElement.tagName");
    await page.press("/");
    expect(await focus()).toBe("q");
    await page.type("old");
    await page.until('document.getElementById("n").textContent === "1 of 6"');
    await page.press("Escape");
    await page.press("x");
    await page.until('document.getElementById("n").textContent === "5 of 6"');

    await page.press("j");
    await page.press("j");
    expect(await page.evaluate("[...document.querySelectorAll('.f:not([hidden])')].findIndex((f) => f.classList.contains('cur'))")).toBe(1);
    expect(await focus()).toBe("SUMMARY");
    const opened = "document.querySelector('.f.cur').open";
    const before = await page.evaluate<boolean>(opened);
    await page.press("Enter");
    await page.until(`${opened} === ${!before}`);
    await page.press("o");
    await page.until(`${opened} === ${before}`);
    await page.press("k");
    expect(await page.evaluate("[...document.querySelectorAll('.f:not([hidden])')].findIndex((f) => f.classList.contains('cur'))")).toBe(0);

    await page.press("a");
    await page.press("a");
    await page.until("[...document.querySelectorAll('.f:not([hidden])')].every((f) => f.open)");
    await page.press("?");
    await page.until("document.getElementById('keys').open");
    await page.press("Escape");
    await page.until("!document.getElementById('keys').open");
    const colour = "getComputedStyle(document.body).backgroundColor";
    const light = await page.evaluate<string>(colour);
    await page.press("t");
    expect(await page.evaluate(colour)).not.toBe(light);
    quiet(page);
  });

  test("every part can be reached and worked with the tabulator", async () => {
    const page = await open(render(resultOf(FINDINGS), "html"));
    const reached = new Set<string>();
    for (let presses = 0; presses < 60; presses++) {
      await page.press("Tab");
      reached.add(
        await page.evaluate<string>(
          "document.activeElement.dataset.value || document.activeElement.value || document.activeElement.id || document.activeElement.tagName",
        ),
      );
    }
    expect([...reached]).toEqual(expect.arrayContaining(["theme", "help", "now", "critical", "secrets", "q", "open", "SUMMARY"]));
    quiet(page);
  });

  test.each([1400, 900, 390, 320])("at a width of %i nothing stands beside the page, and nothing lies over what is read", async (width) => {
    const long = matchOf({
      title: "x".repeat(190),
      message: "y".repeat(3000),
      place: { ...matchOf().place, path: `${"deep/".repeat(60)}a.js`, snippet: "z".repeat(1900) },
    });
    const page = await open(render(resultOf([...FINDINGS, ...findingsOf([long]).findings]), "html"), width);
    await page.evaluate("document.querySelectorAll('.f').forEach((f) => { f.open = true; })");
    const beside = `[...document.querySelectorAll("body *")].filter((e) => !e.closest("pre, dialog, svg") && e.getBoundingClientRect().right > ${width}).map((e) => e.outerHTML.slice(0, 80))`;
    expect(await page.evaluate(beside)).toEqual([]);
    const [high] = await page.evaluate<number[]>(
      "[document.getElementById('filters').getBoundingClientRect().height, getComputedStyle(document.getElementById('filters')).position === 'sticky']",
    );
    if (width > 900) expect(high).toBeLessThan(130);
    quiet(page);
  });

  test("on paper: findings are open, filters and buttons are not there", async () => {
    const page = await open(render(resultOf(FINDINGS), "html"));
    await page.media("print");
    expect(await page.evaluate("document.getElementById('filters').checkVisibility() || document.querySelector('.tools').checkVisibility()")).toBe(false);
    expect((await page.pdf()).subarray(0, 5).toString()).toBe("%PDF-");
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await page.evaluate("[...document.querySelectorAll('.f:not([hidden])')].every((f) => f.open)")).toBe(true);
    quiet(page);
  });

  test("what an artifact says is text: no script of it runs, nothing is fetched, no link leads to one", async () => {
    const attack = '<script>document.title="pwned"</script><img src="https://evil.example/x.png">';
    const open_ = render(resultSaying(PAYLOADS.join(" ")), "html").replace("<header>", `${attack}<header>`);
    const bare = await open(open_.replace(/<meta http-equiv[^>]*>/, ""));
    await bare.until('document.title === "pwned"'); // works without the policy, and so would what follows
    expect(bare.requests).toContain("https://evil.example/x.png");

    const guarded = await open(open_);
    await guarded.until('document.getElementById("n").textContent.includes(" of ")');
    expect(await guarded.evaluate("document.title")).not.toBe("pwned");
    expect(guarded.requests.filter((address) => !address.startsWith("file:"))).toEqual([]);

    for (const payload of PAYLOADS) {
      const page = await open(render(resultSaying(payload), "html"));
      await page.evaluate("document.querySelectorAll('.f').forEach((f) => { f.hidden = false; f.open = true; })");
      const title = await page.evaluate<string>("document.title");
      expect(title === "1" || title === "pwned", payload).toBe(false);
      expect(await page.evaluate("[...document.links].map((l) => l.protocol).every((p) => p === 'https:')"), payload).toBe(true);
      quiet(page);
    }
  });
});

const { place } = matchOf();
const step = (line: number, snippet: string) => ({
  ...place,
  line,
  end_line: line,
  column: 3,
  end_column: 3 + snippet.trim().length,
  snippet,
  snippet_column: 1,
});
const FLOW = [
  { ...step(3, "  const dir = req.query.dir;"), kind: "source" as const, message: "a request comes in" },
  { ...step(7, "  list(dir);"), kind: "call" as const, message: "given to `list`" },
  { ...step(12, '  exec("ls " + dir);'), column: 3, end_column: 19, kind: "sink" as const, message: "reaches a shell" },
];
const FINDINGS: readonly Finding[] = withExempted(
  findingsOf([
    matchOf({ title: "Injection", message: "Text reaches `exec`.", flow: FLOW }),
    matchOf({ title: "Weak hash", severity: "low", at: "src/deep/er/hash.js:4:1", rule: "code/javascript/weak-hash" }),
    matchOf({
      ...{ title: "Key", analyser: "secrets", verdict: "secret", rule: "secrets/github-token", at: "src/key.js:1:1", severity: "medium", anchor: "k" },
      secret: { detector: "t", provider: "GitHub", redacted: "ghp_…4a", digest: "a", state: "unverified" },
    }),
    matchOf({ title: "Old lodash", analyser: "dependencies", rule: "dependencies/advisory", at: "package-lock.json:9:1", severity: "medium", anchor: "l" }),
    matchOf({
      title: "Hidden text",
      analyser: "agentware",
      verdict: "malice",
      rule: "agentware/hidden",
      at: "skill/SKILL.md:2:1",
      severity: "critical",
      anchor: "h",
    }),
    matchOf({ title: "Redirect", at: "src/go.js:2:1", severity: "medium", anchor: "r" }),
  ]).findings,
);

function withExempted(findings: readonly Finding[]): Finding[] {
  const exemption = { id: "E-1", reason: "r", approver: "bea", expires: "2026-05-01", status: "accepted" as const, justification: null };
  return findings.map((finding) => (finding.title === "Redirect" ? { ...finding, state: "exempted", exemption } : finding));
}
