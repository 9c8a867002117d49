import { Document, isMap, isPair, isScalar, isSeq, type Scalar, visit } from "yaml";
import type { Advice } from "./advise.ts";

/**
 * The advised policy as YAML that explains itself: each rule with its reason behind it, and at the end what was left out and
 * why. It parses back to `advice.policy`.
 */
export function adviceText(advice: Advice): string {
  const document = new Document(advice.policy);
  const reasons = new Map(advice.decisions.filter(({ decision }) => decision === "in").map(({ rule, reason }) => [rule, reason]));
  visit(document, {
    Scalar(_key, node: Scalar, ancestors) {
      const parent = ancestors.at(-1);
      const reason = typeof node.value === "string" && isSeq(parent) ? reasons.get(node.value) : undefined;
      if (reason) node.comment = ` ${oneLine(reason)}`;
    },
    Pair(_key, pair) {
      if (!isPair(pair) || !isScalar(pair.key)) return;
      const said = advice.raw.filter(({ field }) => field.split(".").at(-1) === (pair.key as Scalar).value);
      if (said.length > 0 && (isSeq(pair.value) || isMap(pair.value))) {
        (pair.key as Scalar).commentBefore = [...new Set(said.map(({ reason }) => ` ${oneLine(reason)}`))].join("\n");
      }
    },
  });
  const out = advice.decisions.filter(({ decision }) => decision === "out").map(({ rule, reason }) => ` ${rule}: ${oneLine(reason)}`);
  if (out.length > 0) document.comment = [" Left out, and why:", ...out].join("\n");
  return document.toString({ lineWidth: 0 });
}

/** Reasons quote paths and words of the workload. */
const oneLine = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 300);
