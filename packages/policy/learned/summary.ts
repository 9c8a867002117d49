import type { BehaviorProfile } from "../modelling/profile.ts";

/** What was learnt, in lines to read. Text of the program is made printable and cut. */
export function profileSummary(profile: BehaviorProfile, limit = 12): string[] {
  const { observed, files, executions, syscalls, names, connections, capabilities, sockets, generalisations, dangerous, refused } = profile;
  const list = (title: string, items: readonly string[]): string[] =>
    items.length === 0
      ? []
      : [title, ...items.slice(0, limit).map((item) => `  ${printable(item)}`), ...(items.length > limit ? [`  … and ${items.length - limit} more`] : [])];
  return [
    `${profile.runs} ${profile.runs === 1 ? "run" : "runs"} of ${profile.runtimes.join(", ")}${profile.incomplete_runs > 0 ? `, ${profile.incomplete_runs} of them not recorded completely` : ""}`,
    `${syscalls.length} system calls, ${profile.arguments.filter(({ values }) => values).length} arguments of them with known values; ${observed.length} names of files, ${files.length} patterns`,
    ...list(
      "Dangerous: seen, and left out of the policy unless --allow-dangerous",
      dangerous.map(({ what, why }) => `${what}: ${why}`),
    ),
    ...list(
      "Asked for and denied already",
      refused.map(({ path }) => path),
    ),
    ...list("Programs", executions),
    ...list(
      "Writes",
      files.filter(({ permissions }) => permissions.includes("write")).map(({ path }) => path),
    ),
    ...list("Hosts", [...names, ...connections.map(({ ip, port }) => `${ip}:${port}`)]),
    ...list(
      "Sockets",
      sockets.map(({ family, type }) => `${family} ${type}`),
    ),
    ...list("Capabilities", capabilities),
    ...list(
      "Made one",
      generalisations.map(({ pattern, why, examples }) => `${pattern}: ${why}${examples[0] ? ` (${examples[0]})` : ""}`),
    ),
  ];
}

const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 200);
