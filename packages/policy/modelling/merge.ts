import { type Denial, type Model, PlastronError, type Telemetry } from "@plastron/contracts";
import type { Permission } from "../orders/order.ts";
import { DOMAINS } from "../raw/socket-names.ts";
import { generalise } from "./generalise.ts";
import { nameOf } from "./names.ts";
import { danger } from "./places.ts";
import { type BehaviorProfile, EMPTY_PROFILE, MAX_OBSERVED, MAX_VALUES, type ObservedFile } from "./profile.ts";

export interface Learning {
  runtime: string;
  /** What was asked for and denied meanwhile. */
  denials?: readonly (Pick<Denial, "call" | "path"> & Partial<Pick<Denial, "arguments">>)[];
  /** What went through the way out, with the names that were asked for. */
  flows?: readonly Pick<Telemetry["network"]["flows"][number], "host" | "port">[];
  /** Take in a model of which something was lost, too. */
  force?: boolean;
}

/**
 * One run's model as a profile. Throws PlastronError invalid_request where something of it was lost, unless forced: a policy made
 * of it would deny what the program always did.
 */
export function profileOf(model: Model, { runtime, denials = [], flows = [], force = false }: Learning): BehaviorProfile {
  if (!model.complete && !force) {
    throw new PlastronError("invalid_request", "the record of this run is not complete: the sensor lost some of what it did", {
      hint: "Run it again while the machine is less busy, or take it in all the same with --force.",
    });
  }
  const files = new Map<string, ObservedFile>();
  const see = (path: string, seen: readonly Permission[]): void => {
    if (/^[a-z_]+:\[/.test(path)) return; // a pipe, a socket
    const { pattern, why } = nameOf(path.startsWith("/") ? path : `${BEGINNING}/${path}`);
    const known = files.get(pattern);
    files.set(pattern, {
      path: pattern,
      permissions: ordered([...(known?.permissions ?? []), ...seen]),
      why,
      examples: why === "" ? [] : first([...(known?.examples ?? []), path]),
      runs: 1,
    });
  };
  for (const { path, permissions } of model.files) see(path, permissionsOf(permissions));
  for (const path of model.executions) see(path, ["exec"]);
  return derived({
    ...EMPTY_PROFILE,
    capabilities: model.capabilities,
    syscalls: model.syscalls.map(({ name }) => name),
    sockets: model.sockets,
    connections: model.connections.map(({ address, port }) => ({ ip: address, port })),
    names: [...model.names, ...flows.flatMap(({ host, port }) => (host === null ? [] : [`${host}:${port}`]))],
    arguments: model.syscalls.flatMap(({ name, arguments: seen }) =>
      seen.map(({ index, values }) => ({ call: name, index, values: values === null ? null : values.map(hexadecimal) })),
    ),
    observed: [...files.values()],
    refused: denials.flatMap(({ call, path }) =>
      path?.startsWith("/") ? [{ path: nameOf(path).pattern, permissions: DENIED_BY[call] ?? ["read", "write"] }] : [],
    ),
    refused_sockets: denials.flatMap(({ call, arguments: [family] = [] }) => (call === "socket" && family !== undefined ? familyOf(family) : [])),
    runtimes: [runtime],
    runs: 1,
    incomplete_runs: model.complete ? 0 : 1,
  });
}

/**
 * What two profiles saw together: the same whichever comes first, and the same again if one is merged twice, but for the counts of
 * runs. Throws PlastronError invalid_request where names have no end.
 */
export function mergeProfiles(a: BehaviorProfile, b: BehaviorProfile): BehaviorProfile {
  return derived({
    format: a.format,
    capabilities: [...a.capabilities, ...b.capabilities],
    syscalls: [...a.syscalls, ...b.syscalls],
    executions: [],
    files: [],
    generalisations: [],
    dangerous: [],
    sockets: [...a.sockets, ...b.sockets],
    connections: [...a.connections, ...b.connections],
    names: [...a.names, ...b.names],
    arguments: [...a.arguments, ...b.arguments],
    observed: joined(a.observed, b.observed),
    refused: [...a.refused, ...b.refused],
    refused_sockets: [...a.refused_sockets, ...b.refused_sockets],
    runtimes: [...a.runtimes, ...b.runtimes],
    runs: a.runs + b.runs,
    incomplete_runs: a.incomplete_runs + b.incomplete_runs,
  });
}

/** Everything that follows from what was observed, and each list without repetition in one order. */
function derived(profile: BehaviorProfile): BehaviorProfile {
  if (profile.observed.length > MAX_OBSERVED) {
    throw new PlastronError(
      "invalid_request",
      `the workload uses more than ${MAX_OBSERVED} different names of files: no list of them would hold in its next run`,
      {
        hint: "Let it work below one directory, or write that directory into a policy of your own.",
      },
    );
  }
  const observed = profile.observed.toSorted(by(({ path }) => path));
  const dangerous = observed.flatMap(({ path, examples, permissions }) => {
    const why = danger(path) ?? examples.map(danger).find((each) => each !== undefined);
    return why ? [{ what: path, why: `${why} (${permissions.join(", ")})` }] : [];
  });
  const { files, generalisations } = generalise(observed);
  const own = observed.flatMap(({ path, permissions, why, examples }) =>
    why === "" ? [] : [{ pattern: path, permissions, why, examples, count: examples.length }],
  );
  return {
    ...profile,
    capabilities: unique(profile.capabilities),
    syscalls: unique(profile.syscalls),
    executions: observed.filter(({ permissions }) => permissions.includes("exec")).map(({ path }) => path),
    files,
    sockets: uniqueBy(profile.sockets),
    connections: uniqueBy(profile.connections),
    names: unique(profile.names),
    arguments: argumentsOf(profile.arguments),
    observed,
    generalisations: uniqueBy([...own, ...generalisations]),
    dangerous,
    refused: uniqueBy(profile.refused),
    refused_sockets: unique(profile.refused_sockets),
    runtimes: unique(profile.runtimes),
  };
}

function joined(a: readonly ObservedFile[], b: readonly ObservedFile[]): ObservedFile[] {
  const all = new Map(a.map((file) => [file.path, file]));
  for (const file of b) {
    const known = all.get(file.path);
    all.set(
      file.path,
      known
        ? {
            ...file,
            permissions: ordered([...known.permissions, ...file.permissions]),
            examples: first([...known.examples, ...file.examples]),
            runs: known.runs + file.runs,
          }
        : file,
    );
  }
  return [...all.values()];
}

/** Values of the same argument together. Too many, of one run or of all: the argument is not looked at any more. */
function argumentsOf(seen: BehaviorProfile["arguments"]): BehaviorProfile["arguments"] {
  const all = new Map<string, BehaviorProfile["arguments"][number]>();
  for (const { call, index, values } of seen) {
    const key = `${call} ${index}`;
    const known = all.get(key);
    const both = known ? known.values && values && unique([...known.values, ...values]) : values && unique(values);
    all.set(key, { call, index, values: both && both.length <= MAX_VALUES ? both : null });
  }
  return [...all.values()].sort(by(({ call, index }) => `${call} ${index}`));
}

/** Who makes a name may read what stands under it, as AppArmor asks of who renames. */
function permissionsOf(seen: Model["files"][number]["permissions"]): Permission[] {
  const has = (...words: (typeof seen)[number][]): boolean => words.some((word) => seen.includes(word));
  return [
    ...(has("read", "create", "rename", "link") ? (["read"] as const) : []),
    ...(has("write", "append", "create", "delete", "rename", "link") ? (["write"] as const) : []),
    ...(has("exec") ? (["exec"] as const) : []),
  ];
}

/** Where programs begin: a second name of a call is told as it was given. */
const BEGINNING = "/workspace";

function familyOf(word: string): string[] {
  const number = Number(BigInt.asUintN(32, BigInt(word.startsWith("0x") ? word : `0x${word}`)));
  return Object.keys(DOMAINS).filter((name) => DOMAINS[name] === number);
}

const DENIED_BY: Record<string, Permission[]> = {
  execve: ["exec"],
  execveat: ["exec"],
  unlink: ["write"],
  unlinkat: ["write"],
  mkdir: ["write"],
  mkdirat: ["write"],
};
const ORDER: readonly Permission[] = ["read", "write", "append", "exec"];
const ordered = (permissions: readonly Permission[]): Permission[] => ORDER.filter((each) => permissions.includes(each));
const hexadecimal = (value: string): string => `0x${BigInt(value.startsWith("0x") ? value : `0x${value}`).toString(16)}`;
const by =
  <T>(key: (value: T) => string) =>
  (a: T, b: T): number =>
    key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;
const unique = (values: readonly string[]): string[] => [...new Set(values)].sort();
const uniqueBy = <T>(values: readonly T[]): T[] =>
  [...new Map(values.map((value) => [JSON.stringify(value), value])).values()].sort(by((value) => JSON.stringify(value)));
const first = (values: readonly string[]): string[] => unique(values).slice(0, 3);
