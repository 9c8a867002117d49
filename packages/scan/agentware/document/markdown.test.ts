import { fromMarkdown } from "mdast-util-from-markdown";
import { describe, expect, test } from "vitest";
import { markdownBlocks } from "./markdown.ts";

const kinds = (text: string) => markdownBlocks(text, "agent").blocks.map(({ kind, text: said }) => [kind, said.trim()]);

describe("blocks of Markdown", () => {
  test("have their kind, their place and what stands above them", () => {
    const text = "# A\n\nIntro:\n\n- one\n- two\n\n## B\n\n```sh\nls\n```\n\n> said\n";
    const { blocks } = markdownBlocks(text, "agent");
    expect(blocks.map(({ kind }) => kind)).toEqual(["heading", "prose", "item", "item", "heading", "code", "quote"]);
    expect(blocks.every((block) => text.slice(block.start, block.start + block.text.length) === block.text)).toBe(true);
    expect(blocks[2]).toMatchObject({ lead: "Intro:", section: ["A"] });
    expect(blocks[5]).toMatchObject({ lang: "sh", section: ["A", "B"], text: "ls\n" });
  });

  test("what nobody sees is a block of its own, and gone from the one around it", () => {
    const { blocks } = markdownBlocks("Ignore <!-- psst --> this.\n\n[//]: # (unseen)\n\n<div style='display:none'>\n\nhush\n\n</div>\n", "agent");
    expect(blocks.filter(({ hidden }) => hidden).map(({ text }) => text.trim())).toEqual(["<!-- psst -->", "unseen)", "hush"]);
    expect(blocks[0]?.text).toMatch(/^Ignore {14} this\.$/);
  });

  test("a fence stays open to the end, and a shorter one does not close it", () => {
    expect(kinds("````\n```\n# no heading\n```\n````\n# heading\n")).toEqual([
      ["code", "```\n# no heading\n```"],
      ["heading", "heading"],
    ]);
  });

  test.each([
    "# A\n\ntext over\ntwo lines\n\n- a\n- b\n\n```js\nx\n```\n\nB\n===\n\n> q\n> r\n",
    "1. a\n2. b\n\n~~~\ncode\n~~~\n\nend\n",
    "A\n-\n\n* x\n\n  more\n\n```\n\n```\n",
  ])("reads what mdast reads: %j", (text) => {
    const theirs: string[] = [];
    const walk = (node: { type: string; children?: unknown[]; value?: string }): void => {
      if (node.type === "heading") theirs.push("heading");
      else if (node.type === "code" && node.value !== "") theirs.push("code");
      else for (const child of node.children ?? []) walk(child as typeof node);
    };
    walk(fromMarkdown(text) as never);
    const ours = markdownBlocks(text, "agent")
      .blocks.filter(({ kind, text: said }) => kind === "heading" || (kind === "code" && said.trim() !== ""))
      .map(({ kind }) => kind);
    expect(ours).toEqual(theirs);
  });
});
