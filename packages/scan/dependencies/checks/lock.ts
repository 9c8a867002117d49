import type { MatchInput } from "@plastron/contracts";
import type { ScanFile } from "../../analyser.ts";
import type { Listed, Listing } from "../facts.ts";
import { rangesInto } from "../finding.ts";
import { shown } from "../shown.ts";

/** What is wrong with a lock file as such, whatever is known of what it names. */
export function lockChecks(file: ScanFile, listing: Listing): MatchInput[] {
  if (listing.role !== "lock") return [];
  const finding = finder(file);
  return [
    ...mislabelled(listing, finding),
    ...twoAnswers(listing, finding),
    ...strangeHosts(listing, finding),
    ...overPlainHttp(listing, finding),
    ...withoutHashes(listing, finding),
  ];
}

type Said = Pick<MatchInput, "rule" | "title" | "message" | "severity" | "confidence" | "cwe" | "fix" | "anchor">;
type Finder = (listed: Pick<Listed, "line">, said: Said) => MatchInput;

function finder(file: ScanFile): Finder {
  return ({ line }, said) => ({
    ...said,
    ...{ analyser: "dependencies", verdict: "weakness" },
    place: { path: file.path, layers: [...file.layers], line, column: 1, end_line: line, end_column: 1 },
  });
}

const MOST_NAMED = 20;
const ANEW = "Find out who changed the lock file and when; make it anew from the manifest, and compare.";

/** A reviewer reads the name and not the address: what is installed under it is another package. */
function mislabelled(listing: Listing, finding: Finder): MatchInput[] {
  return listing.packages
    .filter((listed) => listed.mislabelled !== undefined)
    .slice(0, MOST_NAMED)
    .map((listed) =>
      finding(listed, {
        rule: "dependencies/lock-names-another-package",
        title: `${shown(listed.name, 60)} ${shown(listed.version, 30)} is fetched from an address of something else`.slice(0, 200),
        message: `The lock file says ${shown(listed.name)} ${shown(listed.version)}, but the address to fetch it from is that of ${shown(listed.mislabelled ?? "")}. Whoever installs gets that, under a name that looks right.`,
        ...{ severity: "high", confidence: "medium", cwe: [494, 829], fix: { text: ANEW }, anchor: `names-another ${shown(listed.name)}` },
      }),
    );
}

/** Who reviews one half of the file installs, with another version of npm, what the other half says. */
function twoAnswers({ disagreements = [], format }: Listing, finding: Finder): MatchInput[] {
  const [first] = disagreements;
  if (first === undefined) return [];
  const words = disagreements
    .slice(0, 5)
    .map(({ place, since7, before7 }) => `${shown(place, 120)} (${since7 === null ? "not there" : shown(since7, 120)}; before npm 7: ${shown(before7, 120)})`);
  return [
    finding(first, {
      rule: "dependencies/lock-two-answers",
      title: `${format} gives two answers for ${disagreements.length} of its packages`,
      message: `The file says everything twice, once for npm 7 and later and once for older ones and for other tools, and the halves differ: ${words.join(", ")}${disagreements.length > 5 ? ", …" : ""}. npm writes them alike; one of them was changed by hand.`,
      ...{ severity: "medium", confidence: "medium", cwe: [494, 829], fix: { text: ANEW }, anchor: "two-answers" },
    }),
  ];
}

/** One or two packages from elsewhere among many of one registry, though nobody asked for an address. A scope may well have a registry of its own. */
function strangeHosts(listing: Listing, finding: Finder): MatchInput[] {
  const fetched = listing.packages.filter(({ host, origin }) => host !== undefined && (origin ?? "registry") === "registry");
  const counts = new Map<string, number>();
  for (const { host } of fetched) counts.set(host as string, (counts.get(host as string) ?? 0) + 1);
  const [most, times] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), ["", 0]);
  if (times < 10 || times < fetched.length * 0.9) return [];
  const ranges = rangesInto(listing);
  return listing.packages
    .map((listed, index) => ({ listed, asked: ranges.get(index) ?? [] }))
    .filter(
      ({ listed: { host, origin, name } }) =>
        host !== undefined && host !== most && (origin ?? "registry") === "registry" && !name.startsWith("@") && (counts.get(host) ?? 0) <= 3,
    )
    .filter(({ listed, asked }) => asked.length > 0 && asked.every((range) => range !== "" && !/[:/]/.test(range)) && listed.mislabelled === undefined)
    .slice(0, MOST_NAMED)
    .map(({ listed }) =>
      finding(listed, {
        rule: "dependencies/lock-strange-host",
        title: `${shown(listed.name, 60)} is fetched from ${shown(listed.host ?? "", 60)}, unlike all else`.slice(0, 200),
        message: `${shown(listed.name)} was asked for by a range, but the lock file fetches it from ${shown(listed.host ?? "")}, where ${times} other packages come from ${shown(most)}. Who can write a lock file can send an installation to a server of their own, and few read that part of a change.`,
        ...{ severity: "medium", confidence: "medium", cwe: [494, 829], fix: { text: ANEW }, anchor: `strange-host ${shown(listed.name)}` },
      }),
    );
}

function overPlainHttp(listing: Listing, finding: Finder): MatchInput[] {
  const plain = listing.packages.filter((listed) => listed.plain);
  const worst = plain.find(({ hashes }) => hashes === undefined) ?? plain[0];
  if (worst === undefined) return [];
  const held = worst.hashes !== undefined;
  return [
    finding(worst, {
      rule: "dependencies/lock-plain-http",
      title: `${plain.length} packages in ${listing.format} are fetched over plain HTTP`,
      message: held
        ? "Anybody on the way can see and stop what is fetched; the hashes of the lock file keep it from being changed."
        : "Anybody on the way can put something else in the place of what is fetched, and no hash would tell.",
      ...{
        severity: held ? "low" : "medium",
        confidence: "high",
        cwe: [319],
        fix: { text: "Use the registry's https address, and make the lock file anew." },
        anchor: "plain-http",
      },
    }),
  ];
}

function withoutHashes(listing: Listing, finding: Finder): MatchInput[] {
  const bare = listing.packages.filter(({ unhashed }) => unhashed);
  const [first] = bare;
  if (first === undefined) return [];
  return [
    finding(first, {
      rule: "dependencies/lock-without-hashes",
      title: `${bare.length} of ${listing.packages.length} packages in ${listing.format} have no hash`,
      message:
        "What is fetched for these packages is compared with nothing: whoever controls the server, the way to it or a cache can put something else in their place, and the lock file would not notice.",
      ...{ severity: "low", confidence: "high", cwe: [353], anchor: "without-hashes" },
      fix: { text: "Make the lock file anew with a current version of its tool, against a registry that gives hashes." },
    }),
  ];
}
