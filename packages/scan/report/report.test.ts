import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type DefaultTreeAdapterTypes, parse } from "parse5";
import { describe, expect, test } from "vitest";
import { hostileText, PAYLOADS, resultSaying } from "../testing/hostile.ts";
import { findingOf, resultOf } from "../testing/result.ts";
import { SCRIPT } from "./html/script.data.ts";
import { REPORT_FORMATS, render } from "./index.ts";
import { visible } from "./text/visible.ts";

const CHROMIUM = "/usr/bin/chromium";

describe("an artifact's text is text and nothing else", () => {
  test("at a terminal: nothing that a terminal obeys or a reader does not see", () => {
    fc.assert(
      fc.property(hostileText, fc.constantFrom(40, 80, 160, Number.POSITIVE_INFINITY), fc.boolean(), (text, columns, colour) => {
        const said = render(resultSaying(text), "terminal", { columns, colour });
        const plain = colour ? said.replace(/\x1b\[(\d+;?)+m/g, "") : said;
        for (const line of plain.split("\n")) expect(line).toBe(visible(line));
      }),
      { numRuns: 150 },
    );
  });

  test("in the page: no element, attribute, address or script that is not its own", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const nodes = [...walk(parse(render(resultSaying(text), "html")))];
        const elements = nodes.filter((node): node is DefaultTreeAdapterTypes.Element => "tagName" in node);
        expect(nodes.filter(({ nodeName }) => nodeName === "#comment")).toEqual([]);
        expect(elements.filter(({ tagName }) => !TAGS.has(tagName))).toEqual([]);
        const attributes = elements.flatMap(({ attrs }) => attrs);
        expect(attributes.filter(({ name }) => !ATTRIBUTES.has(name))).toEqual([]);
        expect(attributes.filter(({ name, value }) => name === "href" && !/^https:\/\/[a-z0-9.-]+\//.test(value))).toEqual([]);
        const scripts = elements.filter(({ tagName }) => tagName === "script");
        expect(scripts.map(({ childNodes }) => (childNodes[0] as DefaultTreeAdapterTypes.TextNode).value)).toEqual([SCRIPT]);
        for (const node of nodes)
          if (node.nodeName === "#text")
            for (const line of (node as DefaultTreeAdapterTypes.TextNode).value.split("\n"))
              if (node.parentNode?.nodeName !== "script") expect(line).toBe(visible(line));
      }),
      { numRuns: 120 },
    );
  });

  test("to GitHub: a command a finding, and none of the artifact's", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const lines = render(resultSaying(text), "github").trimEnd().split("\n");
        expect(lines).toHaveLength(3);
        for (const line of lines) expect(line).toMatch(/^::(error|warning|notice) [^:\r\n]*::[^\r\n]*$/);
      }),
      { numRuns: 150 },
    );
  });

  test("in every JSON format: it parses, and paths lead nowhere else", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const result = resultSaying(text);
        expect(JSON.parse(render(result, "json"))).toEqual(JSON.parse(JSON.stringify(result)));
        for (const format of ["cyclonedx", "openvex", "gitlab"] as const) JSON.parse(render(result, format));
        const uris = [...render(result, "sarif").matchAll(/"uri":"([^"]*)"/g)].map(([, uri]) => uri as string);
        expect(uris.length).toBeGreaterThan(3);
        for (const uri of uris) {
          const { href } = new URL(uri, "https://root.example/tree/");
          expect(href.startsWith("https://root.example/tree/")).toBe(true);
          expect(uri).toMatch(/^[A-Za-z0-9._~%/-]+$/);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("[needs: python3] in JUnit: an XML parser takes it, and finds a case for each finding and gap, and for what was clean", () => {
    const documents = [...PAYLOADS, ...fc.sample(hostileText, 150)].map((text) => render(resultSaying(text), "junit"));
    const program =
      "import json,sys,xml.etree.ElementTree as e\nprint(json.dumps([len(e.fromstring(d.encode()).findall('.//testcase')) for d in json.load(sys.stdin)]))";
    const counted = JSON.parse(execFileSync("python3", ["-c", program], { input: JSON.stringify(documents), encoding: "utf8" })) as number[];
    expect(new Set(counted)).toEqual(new Set([5]));
  });

  test.runIf(existsSync(CHROMIUM))(
    "[needs: chromium] in a browser: the page's own script runs under its policy, and no other",
    () => {
      const home = mkdtempSync(join(tmpdir(), "plastron-page-"));
      try {
        const page = render(resultSaying(PAYLOADS.join(" "), 5), "html").replace("<header>", `<script>document.title="pwned"</script><header>`);
        const shown = (html: string) => {
          writeFileSync(join(home, "a.html"), html);
          const args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            `--user-data-dir=${join(home, "profile")}`,
            "--dump-dom",
            `file://${join(home, "a.html")}`,
          ];
          return spawnSync(CHROMIUM, args, { encoding: "utf8", timeout: 60_000, maxBuffer: 1 << 26 }).stdout;
        };
        expect(shown(page.replace(/<meta http-equiv[^>]*>/, ""))).toContain("<title>pwned"); // the attack works without the policy
        expect(shown(page)).toMatch(/<output id="n">4 of 5<\/output>/);
        expect(shown(page)).not.toContain("<title>pwned");
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
    },
    90_000,
  );
});

describe("the verdict", () => {
  const gaps = [{ kind: "failed" as const, analyser: "code" as const, path: "a.js", reason: "crash", detail: "it crashed", matters: true }];
  const { coverage } = resultOf([]);
  const failed = resultOf([], { status: "incomplete", coverage: { ...coverage, gaps, gaps_total: 1 } });

  test("says that nothing was found only of a complete scan, and what was looked for", () => {
    expect(render(resultOf([]), "terminal")).toMatch(/✓ Nothing found {2}48 files; looked for secrets and weak code\n$/);
    for (const format of REPORT_FORMATS.filter((format) => !["cyclonedx", "openvex"].includes(format)))
      expect(render(failed, format)).toMatch(/incomplete|"executionSuccessful":false|errors="1"/i);
    for (const format of ["terminal", "html", "github"] as const) expect(render(failed, format)).not.toMatch(/✓|clean/i);
  });

  test("counts open findings by urgency, and the exempted apart", () => {
    const exemption = { id: "EX-1", reason: "known", approver: "bea", expires: "2026-05-01", status: "accepted" as const, justification: null };
    const result = resultOf([findingOf(), { ...findingOf({ anchor: "b" }), state: "exempted", exemption }]);
    expect(render(result, "terminal")).toMatch(/✗ 1 finding {2}1 now; 1 finding exempted\n$/);
  });
});

test("no line at a terminal is wider than it", () => {
  for (const columns of [60, 80, 160]) {
    for (const line of render(resultSaying(`${"words and ".repeat(30)}${"x".repeat(200)}`), "terminal", { columns }).split("\n"))
      expect(line.length).toBeLessThanOrEqual(columns);
  }
});

test("a marker stands under what is meant, also behind tabs and wide letters", () => {
  const place = { path: "a.js", line: 7, column: 8, end_line: 7, end_column: 11, snippet: "\t漢字 x = run(y)", snippet_column: 1 };
  const from = place.snippet.indexOf("run") + 1;
  const [code, marker] = render(resultOf([findingOf({ place: { ...place, column: from, end_column: from + 3 } })]), "terminal")
    .split("\n")
    .filter((line) => line.includes("│"));
  const columns = (code?.slice(0, code.indexOf("run")).length ?? 0) + 2;
  expect(marker?.indexOf("^^^")).toBe(columns);
});

test("5,000 findings make a page in no time, and one that can be sent", () => {
  const findings = Array.from({ length: 5000 }, (_, at) => findingOf({ at: `src/${at % 50}/a${at}.js:${at + 1}:3`, anchor: `${at}` }));
  const start = process.cpuUsage();
  const page = render(resultOf(findings), "html");
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(5_000);
  expect(page.length).toBeLessThan(15e6);
});

function* walk(node: DefaultTreeAdapterTypes.Node): Iterable<DefaultTreeAdapterTypes.ChildNode & { parentNode?: { nodeName: string } | null }> {
  for (const child of "childNodes" in node ? node.childNodes : []) {
    yield child;
    yield* walk(child);
  }
}

const TAGS = new Set(
  "html head meta title style body header main footer section div span p h1 h2 h3 b i em small code pre mark ul ol li dl dt dd details summary table thead tbody tr th td form input label select option button output dialog kbd a br svg g path circle rect text script".split(
    " ",
  ),
);
const ATTRIBUTES = new Set(
  "lang charset http-equiv content name class id role type title href rel target hidden open selected value placeholder autocomplete spellcheck colspan method aria-label aria-hidden data-s data-a data-t data-p data-d data-f data-l data-set data-value viewBox preserveAspectRatio x y width height d cx cy r stroke-dasharray stroke-dashoffset transform".split(
    " ",
  ),
);
