import type { ScanFile } from "../../analyser.ts";
import type { Block } from "../document/model.ts";
import type { Pack } from "../pack.ts";
import { type Signal, signalAt } from "../signal.ts";
import { sendsEnvironment } from "../source/starts.ts";

const PERMISSION_KEYS = /^(?:allowed[-_]?tools|permissions?|allow|capabilities|scopes?|tools|autoApprove|alwaysAllow|auto_approve|autoAllow|trustedTools)$/i;
const EVERYTHING =
  /^(?:\*|all|any|Bash(?:\(\s*(?:\*|:\*)?\s*\))?|Bash\(\*:\*\)|Execute\(\*\)|shell(?:\(\*\))?|\*:\*|\*\*|full[-_ ]?access|unrestricted|(?:Write|Edit|WebFetch)\(\*\*?\)|mcp__\*|root|admin)$/i;
const AUTO_KEYS =
  /^(?:autoApprove|alwaysAllow|auto_approve|dangerouslySkipPermissions|skipConfirmation|requireConfirmation|confirm|bypassPermissions|defaultMode|yolo|trust)$/i;
const HOOKS = new Set(["preinstall", "install", "postinstall", "preprepare", "prepare"]);

/** What manifests and settings grant and start: permissions, servers, hooks. Blocks are values below their keys. */
export function configSignals({ path }: Pick<ScanFile, "path">, blocks: readonly Block[], pack: Pack): Signal[] {
  return [...permissions(blocks, path), ...servers(blocks, pack), ...hooks(blocks, path)];
}

function permissions(blocks: readonly Block[], path: string): Signal[] {
  return blocks.flatMap((each, number) => {
    // Headings of prose are called Tools as well.
    if (each.kind !== "value" && each.kind !== "description") return [];
    const key = each.section.findLast((name) => !/^\d+$/.test(name)) ?? "";
    const isPackage = /(?:^|\/)package\.json$/.test(path);
    const within = { start: 0, end: each.text.length };
    if (AUTO_KEYS.test(key) && /^(?:true|bypassPermissions|\*)$/i.test(each.text) && !/^(?:requireConfirmation|confirm|trust)$/i.test(key))
      return [signalAt("skip-confirmation", each, number, within, { stance: "told", detail: `${key}: ${each.text}` })];
    const isList =
      PERMISSION_KEYS.test(key) && !each.section.some((name) => /^(?:deny|denied|exclude|parameters|properties|input_?schema)$/i.test(name)) && !isPackage;
    if (!isList) return [];
    const grants = each.text.split(/[,\s]+(?![^(]*\))/).filter((word) => EVERYTHING.test(word.trim()));
    return grants.length === 0 ? [] : [signalAt("wildcard-permission", each, number, within, { stance: "told", detail: `${key}: ${grants.join(", ")}` })];
  });
}

/** Servers that an assistant starts: `npx -y name` takes what is newest today. */
function servers(blocks: readonly Block[], pack: Pack): Signal[] {
  const commands = new Map<string, { block: Block; number: number; words: string[] }>();
  blocks.forEach((each, number) => {
    const { section } = each;
    const at = section.findIndex((name) => /^(?:command|args)$/.test(name));
    if (at < 1 || !section.some((name) => /^(?:mcp_?servers?|servers|context_servers|mcp)$/i.test(name))) return;
    const owner = section.slice(0, at).join("\u0000");
    const known = commands.get(owner) ?? { block: each, number, words: [] };
    if (section[at] === "command") known.words.unshift(each.text);
    else known.words.push(each.text);
    commands.set(owner, known);
  });
  return [...commands.values()].flatMap(({ block, number, words }) => {
    const name =
      (words[0] ?? "")
        .split(/[/\\]/)
        .at(-1)
        ?.replace(/\.cmd$|\.exe$/, "") ?? "";
    const unpinned = unpinnedServer(name, words.slice(1), pack);
    return unpinned ? [signalAt("remote-code", block, number, { start: 0, end: block.text.length }, { stance: "told", detail: `${name} ${unpinned}` })] : [];
  });
}

function unpinnedServer(name: string, rest: readonly string[], _pack: Pack): string | null {
  const target = rest.find((word) => !word.startsWith("-") && word !== "run" && word !== "exec" && word !== "dlx" && word !== "tool");
  if (/^(?:npx|bunx|pnpx|pnpm|yarn)$/.test(name) && target && /^(?:@[\w.-]+\/)?[\w.-]+(?:@(?:latest|next|\*|\^|~).*)?$/.test(target)) return target;
  if (/^(?:uvx|pipx)$/.test(name) && target && !/==|@\d/.test(target)) return target;
  if (name === "docker" || name === "podman") {
    const image = rest.find((word) => /^[\w.-]+(?:[:/][\w./-]+)+(?::[\w.-]+)?(?:@sha256:\w+)?$/.test(word) && !word.startsWith("type=")) ?? "";
    return image !== "" && !image.includes("@sha256:") && !/:v?\d+[\w.-]*$/.test(image) ? image : null;
  }
  return null;
}

function hooks(blocks: readonly Block[], path: string): Signal[] {
  if (!/(?:^|\/)package\.json$/.test(path)) return [];
  return blocks.flatMap((each, number) => {
    const [first, name] = each.section;
    if (first !== "scripts" || !name || !HOOKS.has(name) || each.section.length !== 2) return [];
    const fetches = /\b(?:curl|wget|powershell|iwr)\b|https?:\/\/|\bnode\s+-e\b|\bsh\s+-c\b|\bbash\b|\beval\b/.test(each.text);
    return [
      signalAt(
        "install-hook",
        each,
        number,
        { start: 0, end: each.text.length },
        {
          stance: "told",
          detail: `${name}: ${each.text}`,
          traits: [...(fetches && name !== "prepare" ? ["acts"] : []), ...(sendsEnvironment(each.text) ? ["sends-environment"] : [])],
        },
      ),
    ];
  });
}
