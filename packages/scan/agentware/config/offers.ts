import type { Approvals, MatchInput } from "@plastron/contracts";
import { fileKey, type Project } from "../../analyser.ts";
import { inWords } from "../hidden/visible.ts";
import type { AgentRule } from "../rule.ts";
import { type Named, standing } from "./approvals.ts";
import type { Offer, Role } from "./catalog.ts";

/** Rules over what several files offer, each written down in rules/agentware/ and found here. */
export function offerMatches(offers: readonly Named[], approvals: Approvals | null, rules: readonly AgentRule[], project: Project): MatchInput[] {
  const rule = (name: string) => rules.find(({ id }) => id === `agentware/${name}`);
  const matches: MatchInput[] = [];
  const add = (name: string, offer: Offer, detail: string, others: readonly Offer[] = []): void => {
    const found = rule(name);
    if (found) matches.push(offerMatch(found, offer, detail, others));
  };
  for (const [one, other] of sameNames(offers, project))
    add("tool-name-clash", one, `${one.name} is offered by ${one.place.path} and by ${other.place.path}`, [other]);
  for (const [one, other] of namesOfOthers(offers))
    add("tool-names-another", one, `${one.name} speaks of ${other.name}, which ${other.place.path} offers`, [other]);
  const trio = trifecta(offers.map(({ offer }) => offer).filter(({ kind }) => kind === "tool"));
  if (trio)
    add(
      "toxic-flow",
      trio[0] as Offer,
      trio.map((offer, i) => `${offer.name} (${["brings in text of strangers", "reaches what is private", "carries data out"][i]})`).join(", "),
      trio.slice(1),
    );
  for (const { named, was } of approvals ? standing(offers, approvals) : []) {
    const { offer } = named;
    const detail = `${offer.name}: “${inWords(offer.description, 160)}” (${offer.hash.slice(0, 16)})`;
    add(was === "changed" ? "changed-since-approval" : "not-approved", { ...offer, name: `${offer.name} ${offer.hash}` }, detail);
  }
  return matches;
}

interface Placed {
  readonly key: string;
  readonly offer: Offer;
}

/** Tools of different files with one name, or with names that look the same. What is built out of another file offers the same again. */
function* sameNames(offers: readonly Placed[], { files }: Project): Iterable<[Offer, Offer]> {
  const data = new Set(files.filter(({ language }) => language === "json" || language === "yaml").map(fileKey));
  const seen = new Map<string, Placed>();
  for (const placed of offers.filter(({ key, offer }) => offer.kind === "tool" && data.has(key))) {
    const plain = placed.offer.name
      .toLowerCase()
      .replace(/[-_\s.]/g, "")
      .replace(/0/g, "o")
      .replace(/[1|]/g, "l");
    const known = seen.get(plain);
    if (known && known.key !== placed.key && known.offer.hash !== placed.offer.hash) yield [placed.offer, known.offer];
    else seen.set(plain, placed);
  }
}

/** Each with each. */
export const MAX_COMPARED = 300;

/** A description that names a tool of another file. Names of one plain word are words of any text. */
function* namesOfOthers(offers: readonly Placed[]): Iterable<[Offer, Offer]> {
  const named = offers
    .filter(({ offer }) => offer.kind === "tool" && offer.description !== "" && offer.name.length >= 6 && /[_-]|[a-z][A-Z]/.test(offer.name))
    .slice(0, MAX_COMPARED);
  for (const { key, offer } of offers.slice(0, MAX_COMPARED)) {
    if (offer.kind !== "tool") continue;
    const other = named.find((each) => each.key !== key && each.offer.name !== offer.name && offer.description.includes(each.offer.name));
    if (other && !named.some((each) => each.key === key && each.offer.name === other.offer.name)) yield [offer, other.offer];
  }
}

/** One tool for each part of the trifecta; null where a part is missing. */
function trifecta(offers: readonly Offer[]): readonly Offer[] | null {
  const of = (role: Role) => offers.find(({ roles }) => roles.includes(role));
  const trio = [of("untrusted"), of("private"), of("egress")];
  return trio.every((offer) => offer !== undefined) ? (trio as Offer[]) : null;
}

function offerMatch(rule: AgentRule, offer: Offer, detail: string, others: readonly Offer[]): MatchInput {
  const { id, title, verdict, severity, confidence, cwe, references, fix } = rule;
  return {
    ...{ rule: id, analyser: "agentware", title, verdict, severity, confidence, cwe, references, fix: { text: fix } },
    message: rule.message.replaceAll("{detail}", inWords(detail, 600)),
    place: offer.place,
    flow:
      others.length === 0
        ? []
        : [
            { ...offer.place, kind: "source", message: offer.name },
            ...others.map((other) => ({ ...other.place, kind: "step" as const, message: `${other.name}: ${inWords(other.description, 120)}` })),
          ],
    anchor: `${offer.kind} ${offer.name} ${others.map((other) => other.name).join(" ")}`,
  };
}
