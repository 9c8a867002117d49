import type { ScanFile } from "../../analyser.ts";
import type { Block } from "../document/model.ts";
import { inWords } from "../hidden/visible.ts";
import { hostOf } from "../hosts.ts";
import type { Pack } from "../pack.ts";
import { type Signal, signalAt } from "../signal.ts";
import { boughtName } from "./lookalike.ts";

const DEPENDENCIES = /^(?:dependencies|devDependencies|optionalDependencies|peerDependencies)$/;
const INSTALLS =
  /\b(?:npm\s+(?:i|install|add)|pnpm\s+add|yarn\s+add|bun\s+add|npx|bunx)\s+((?:-{1,2}[\w-]+\s+)*)([@\w./-]{3,100})|\b(?:pip3?|uv\s+pip)\s+install\s+((?:-{1,2}[\w-]+\s+)*)([\w.-]{3,100})|\b(?:uvx|pipx\s+(?:run|install))\s+()([\w.-]{3,100})/g;
const MAX = 200;

/** Names that could be taken for other ones: of packages that are asked for, and of hosts. */
export function nameSignals(file: Pick<ScanFile, "path" | "language">, blocks: readonly Block[], text: string, pack: Pack): Signal[] {
  const whole: Block = { kind: "value", text, start: 0, exact: true, surface: "program", section: [], lang: "", lead: "", hidden: null, layers: [] };
  const signals: Signal[] = [];
  const add = (kind: string, name: string, found: { of: string; how: string } | null, start: number, traits: string[] = []): void => {
    if (found && signals.length < MAX)
      signals.push(signalAt(kind, whole, -1, { start, end: start + name.length }, { detail: `${inWords(name, 100)} (${found.of}, by ${found.how})`, traits }));
  };
  if (/(?:^|\/)package\.json$/.test(file.path))
    for (const { section, start } of blocks) {
      const name = section[1] ?? "";
      if (section.length === 2 && DEPENDENCIES.test(section[0] ?? ""))
        add("lookalike-package", name, pack.npmNames.of(name.toLowerCase()), Math.max(0, text.lastIndexOf(`"${name}"`, start)));
    }
  if (/(?:^|\/)requirements[\w.-]*\.(?:txt|in)$/.test(file.path))
    for (const line of text.matchAll(/^[ \t]*([A-Za-z0-9][\w.-]{1,99})/gm))
      add("lookalike-package", line[1] as string, pack.pypiNames.of((line[1] as string).toLowerCase()), line.index);
  if (file.language === "markdown" || file.language === "shell" || file.language === "dockerfile" || file.language === "json" || file.language === "yaml") {
    for (const found of text.matchAll(INSTALLS)) {
      const npm = found[2]?.replace(/(?<=.)@[^/]*$/, "");
      const python = found[4] ?? found[6];
      if (npm) add("lookalike-package", npm, pack.npmNames.of(npm.toLowerCase()), found.index);
      if (python) add("lookalike-package", python, pack.pypiNames.of(python.toLowerCase().replaceAll("_", "-")), found.index);
    }
  }
  if (text.includes("://"))
    for (const url of text.matchAll(/\bhttps?:\/\/[\p{L}\p{N}.-]{4,200}/gu))
      add("lookalike-host", url[0], pack.hostNames.of(boughtName(hostOf(url[0]))), url.index, spelledOut(text, url.index) ? ["spelled-out"] : []);
  return signals;
}

/** Whoever writes beside a host how it is spelled in ASCII shows what it is, as manuals of international names do. */
function spelledOut(text: string, at: number): boolean {
  return /:\/\/(?:www\.)?xn--/.test(text.slice(Math.max(0, at - 200), at + 300));
}
