import { traitsOf } from "../hosts.ts";
import type { Lists } from "../lists.ts";
import type { Deed } from "./deed.ts";

const FETCH = /DownloadString|DownloadData|DownloadFile|Invoke-WebRequest|Invoke-RestMethod|\biwr\b|\birm\b|\bcurl\b|\bwget\b/i;
const RUN = /\biex\b|Invoke-Expression|Start-Process|\bsaps\b|&\s*\(\s*\[scriptblock\]/i;
const URL = /https?:\/\/[^\s"')|;]{3,400}/i;

/** PowerShell nests calls in brackets, which a shell's grammar takes apart: a line that fetches and runs is told by both words and an address. */
export function powershellDeeds(text: string, lists: Lists): Deed[] {
  if (!RUN.test(text)) return [];
  const deeds: Deed[] = [];
  for (const line of text.matchAll(/[^\n]*\b(?:iex|Invoke-Expression|Start-Process|scriptblock)\b[^\n]*/gi)) {
    const part = line[0].slice(0, 4000);
    const url = URL.exec(part)?.[0];
    if (url && FETCH.test(part) && !/\|\s*iex\s*$/i.test(part))
      deeds.push({ name: "download-run", start: line.index, end: line.index + part.length, detail: url, traits: traitsOf(url, lists) });
  }
  return deeds;
}
