import { TYPICAL_HOST } from "@plastron/contracts";
import { compilePolicy } from "../compile.ts";
import { parsePolicy } from "../parse/parse.ts";
import { type Exported, type ExportKind, exportPolicy } from "./export.ts";

/** An export as JSON can carry it: `content` is the file's text, or its bytes in base64. */
export type PortableExport = Omit<Exported, "content"> & { kind: ExportKind; content: string; encoding: "utf8" | "base64" };

/**
 * A policy's text in another enforcer's form, for a container of somebody else's runtime: nothing of this host is asked, and the
 * floor that lies under Plastron's own sandboxes is left out where the policy lifts it. Throws PlastronError invalid_policy.
 */
export function exportPolicyText(text: string, kind: ExportKind, options: { upstreamCompat?: boolean } = {}): Exported {
  return exportPolicy(compilePolicy(parsePolicy(text, options), { ...TYPICAL_HOST, permissive: true }), kind);
}

export function portableExport(exported: Exported, kind: ExportKind): PortableExport {
  const { content } = exported;
  const encoded =
    typeof content === "string" ? { content, encoding: "utf8" as const } : { content: Buffer.from(content).toString("base64"), encoding: "base64" as const };
  return { kind, ...exported, ...encoded };
}
