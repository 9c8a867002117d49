import { type AgentDocument, type Block, block, MAX_BLOCKS } from "./model.ts";

interface Grammar {
  readonly line: readonly string[];
  readonly blocks: readonly (readonly [string, string])[];
  readonly quotes: readonly string[];
}

const C_LIKE: Grammar = { line: ["//"], blocks: [["/*", "*/"]], quotes: ['"', "'", "`"] };
const GRAMMARS: Readonly<Record<string, Grammar>> = {
  javascript: C_LIKE,
  typescript: C_LIKE,
  python: { line: ["#"], blocks: [], quotes: ['"""', "'''", '"', "'"] },
  shell: { line: ["#"], blocks: [], quotes: [] },
  dockerfile: { line: ["#"], blocks: [], quotes: [] },
  toml: { line: ["#"], blocks: [], quotes: ['"""', "'''", '"', "'"] },
  sql: { line: ["--"], blocks: [["/*", "*/"]], quotes: ["'"] },
};

/** A text right behind one of these is what a tool tells a model of itself. */
const TOOL_TEXT =
  /(?:\bdescription|\binstructions)["']?\s*[:=]\s*(?:[frub]{0,2}|\(\s*)$|\.(?:tool|registerTool|addTool|prompt)\(\s*["'`][\w.:/-]{1,80}["'`]\s*,\s*(?:\{\s*(?:title\s*:\s*["'`][^"'`]{0,80}["'`]\s*,\s*)?description\s*:\s*)?$/i;
const TOOL_FUNCTION = /@(?:\w+\.)?(?:tool|resource|function_tool)\b[^\n]*\n(?:\s*@[^\n]*\n)*\s*(?:async\s+)?def\s[^\n]*(?:\n[^\n]*){0,12}:\s*$/;
/** Only source that defines tools or prompts gives texts to a model. */
const TOOLS =
  /inputSchema|input_schema|McpServer|FastMCP|registerTool|\.tool\(|@(?:\w+\.)?tool\b|modelcontextprotocol|defineTool|function_tool|tool_choice|dify_plugin|langchain/i;
const MIN_TEXT = 8;

/** Comments, docstrings and text constants of source code: what a model that reads it may take for words to itself. Linear; no parser can be made to fail. */
export function sourceBlocks(text: string, language: string): AgentDocument {
  const grammar = GRAMMARS[language];
  if (!grammar) return { surface: "program", blocks: [], degraded: [] };
  const blocks: Block[] = [];
  const tools = TOOLS.test(text);
  for (let at = 0; at < text.length && blocks.length < MAX_BLOCKS; ) {
    const line = grammar.line.find((mark) => text.startsWith(mark, at));
    if (line && (language !== "shell" || at === 0 || /\s/.test(text[at - 1] as string))) {
      at = lineRemark(text, at, line, blocks);
      continue;
    }
    const pair = grammar.blocks.find(([open]) => text.startsWith(open, at));
    if (pair) {
      const shut = text.indexOf(pair[1], at + 2);
      const end = shut < 0 ? text.length : shut;
      push(blocks, block("remark", text.slice(at + 2, end), at + 2, "program"));
      at = end + 2;
      continue;
    }
    const quote = grammar.quotes.find((mark) => text.startsWith(mark, at));
    if (!quote) {
      at = nextOfInterest(text, at + 1);
      continue;
    }
    const end = stringEnd(text, at + quote.length, quote);
    if (end - at > MIN_TEXT) push(blocks, stringBlock(text, at, quote, end, language, tools));
    at = end + quote.length;
  }
  const full = blocks.length >= MAX_BLOCKS;
  return { surface: "program", blocks, degraded: full ? [{ reason: "too_many", detail: `more than ${MAX_BLOCKS} comments and texts` }] : [] };
}

const OF_INTEREST = /["'`#/-]/g;

function nextOfInterest(text: string, at: number): number {
  OF_INTEREST.lastIndex = at;
  const found = OF_INTEREST.exec(text);
  return found ? found.index : text.length;
}

/** Comments of lines that follow each other are one text. */
function lineRemark(text: string, at: number, mark: string, blocks: Block[]): number {
  const newline = text.indexOf("\n", at);
  const end = newline < 0 ? text.length : newline;
  const last = blocks.at(-1);
  const gap = last?.kind === "remark" ? text.slice(last.start + last.text.length, at) : "x";
  if (last && gap.length < 200 && /^\s*$/.test(gap) && gap.split("\n").length === 2 && last.text.length < 20_000)
    blocks[blocks.length - 1] = { ...last, text: text.slice(last.start, end) };
  else push(blocks, block("remark", text.slice(at + mark.length, end), at + mark.length, "program"));
  return end;
}

function stringBlock(text: string, at: number, quote: string, end: number, language: string, tools: boolean): Block {
  const start = at + quote.length;
  const before = text.slice(Math.max(0, at - 600), at);
  const ofTool = tools && (TOOL_TEXT.test(before.slice(-200)) || (language === "python" && quote.length === 3 && TOOL_FUNCTION.test(before)));
  return block(ofTool ? "description" : "string", text.slice(start, end), start, ofTool ? "agent" : "program");
}

function stringEnd(text: string, from: number, quote: string): number {
  const multiline = quote.length === 3 || quote === "`";
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x0a && !multiline) return at;
    else if (code === quote.charCodeAt(0) && text.startsWith(quote, at)) return at;
  }
  return text.length;
}

function push(blocks: Block[], each: Block): void {
  if (each.text.length > 2) blocks.push(each);
}
