import { describe, expect, it } from "vitest";
import { clientBundle } from "./structure.ts";

const key = `AIza${"Sy0123456789abcdefghijklmnopqrstuvw"}`;
const judge = (before: string, path = "lib/index.js") => {
  const text = `${before}${key}';\n`;
  return clientBundle({ text, path, secret: key, start: before.length, end: before.length + key.length, quote: "'" } as Parameters<typeof clientBundle>[0]);
};

describe("a key that the client carries by design", () => {
  it.each([
    "const web = { authDomain: 'x', apiKey: '",
    "fetch('https://chromeuxreport.googleapis.com/v1/records:queryRecord?key=",
    "// Yes, this API key is public.\nconst k = '",
    "// The key is not a secret: it only counts requests.\nconst k = '",
  ])("is worth little: %s", (before) => {
    expect(judge(before)).toMatchObject({ severity: "low" });
  });

  it.each([
    "const GEMINI_API_KEY = '",
    "// make sure that nobody makes the key public\nconst k = '",
    "fetch('https://generativelanguage.googleapis.com/v1/models?key=",
  ])("is worth all otherwise: %s", (before) => {
    expect(judge(before)).not.toMatchObject({ severity: "low" });
  });
});
