/** docs/reference/rules.md, from the rules themselves (rules/code). */
import { CODE_KINDS, OWN_RULES, type Rule, readPack, readRuleFolder } from "@plastron/scan";

const LOOKS: Readonly<Record<string, string>> = { taint: "data, calls", syntax: "shape", dockerfile: "instructions", yaml: "places" };

export function ruleLines(): string[] {
  const files = new Map([...readRuleFolder(OWN_RULES)].filter(([file]) => file.startsWith("code/")));
  const { rules } = readPack("plastron", files, CODE_KINDS).pack;
  const folders = [...new Set(rules.map(folderOf))].sort();
  return [
    `${rules.length} rules on code, each with examples that are its tests. \`plastron rules list\` shows them with those of your packs; [write your own](../guides/write-a-rule.md).`,
    ...folders.flatMap((folder) =>
      section(
        folder,
        rules.filter((rule) => folderOf(rule) === folder),
      ),
    ),
  ];
}

const folderOf = ({ id }: Rule): string => id.split("/").slice(0, 2).join("/");

function section(folder: string, rules: readonly Rule[]): string[] {
  const rows = rules.map(
    ({ id, title, severity, confidence, cwe, kind }) =>
      `| \`${id.slice(folder.length + 1)}\` | ${title.replaceAll("|", "\\|")} | ${severity} | ${confidence} | ${cwe.join(", ")} | ${LOOKS[kind] ?? kind} |`,
  );
  return ["", `## ${folder}`, "", "| rule | finds | severity | confidence | CWE | looks at |", "| --- | --- | --- | --- | --- | --- |", ...rows];
}
