import type { BrokenBy, Telemetry } from "@plastron/contracts";
import { putStack } from "./denials.ts";
import { bytes, few, field, heading, number, type Page, plural, put, since, text } from "./page.ts";
import { addressWords, CLASSES, hostsOf, OWN, shortPath } from "./places.ts";
import { commandLine, type Process, type Processes } from "./processes.ts";

const MOST_PROCESSES = 30;
const MOST_FILES = 30;
const MOST_PEERS = 20;
const TOP = 10;

export function putProcesses(page: Page, telemetry: Telemetry, processes: Processes): void {
  const all = processes.tree();
  if (all.length === 0) return;
  heading(
    page,
    "Processes",
    `${plural(telemetry.processes.forks, "fork")}, ${plural(telemetry.processes.threads, "thread")}, ${plural(telemetry.processes.execs, "exec")}`,
  );
  for (const each of all.slice(0, MOST_PROCESSES)) {
    const head = `  ${" ".repeat(2 * Math.min(each.depth, 10))}${each.depth > 0 ? "└ " : ""}${each.number} `;
    put(page, { shown: page.paint("dim", head), width: head.length }, text(processWords(each)));
  }
  more(page, all.length - MOST_PROCESSES, "process", "processes");
}

function processWords({ name, listed }: Process): string {
  if (!listed) return name;
  const { exe, argv, started_us, ended_us, code, signal } = listed;
  const time = `${since(started_us).trim()} – ${ended_us === null ? "the end" : since(ended_us).trim()}`;
  const end = signal ? `, ended by ${signal}` : code ? `, exit ${code}` : "";
  return `${argv.length > 0 ? commandLine(argv) : exe || name}  [${time}${end}]`;
}

/** The program's own files, each; the others by their number. */
export function putFiles(page: Page, { files }: Telemetry): void {
  if (files.opens === 0) return;
  const classes = Object.entries(files.by_class) as [keyof typeof CLASSES, number][];
  heading(page, "Files", `${plural(files.opens, "open")}: ${classes.map(([name, count]) => `${number(count)} ${CLASSES[name]}`).join(", ")}`);
  const own = merged(files.list.filter((each) => OWN.includes(each.class) || each.writes > 0 || each.creates > 0));
  for (const { path, reads, writes, creates, failures } of own.slice(0, MOST_FILES)) {
    const marks = `  ${creates > 0 ? "c" : "-"}${reads > 0 ? "r" : "-"}${writes > 0 ? "w" : "-"}  `;
    const failed = Object.entries(failures).map(([errno, count]) => `${errno}${count > 1 ? ` ${number(count)} times` : ""}`);
    put(page, { shown: page.paint("dim", marks), width: marks.length }, text(`${shortPath(path)}${failed.length > 0 ? `  (${few(failed, 3)})` : ""}`));
  }
  more(page, own.length - MOST_FILES, "file");
}

/** What was asked for by another name is the same file where that is how it is called here. */
function merged(list: Telemetry["files"]["list"]): Telemetry["files"]["list"] {
  const files = new Map<string, Telemetry["files"]["list"][number]>();
  for (const each of list) {
    const known = files.get(shortPath(each.path));
    const { reads, writes, creates, failures } = known ?? { reads: 0, writes: 0, creates: 0, failures: {} };
    files.set(shortPath(each.path), {
      ...each,
      ...{ reads: reads + each.reads, writes: writes + each.writes, creates: creates + each.creates, failures: { ...failures, ...each.failures } },
    });
  }
  return [...files.values()];
}

export function putNetwork(page: Page, telemetry: Telemetry): void {
  const { connects, binds, sends, peers, flows, names } = telemetry.network;
  if (connects + binds + sends + names.length + flows.length === 0) return;
  const [bytesIn, bytesOut] = [flows.reduce((sum, each) => sum + each.bytes_in, 0), flows.reduce((sum, each) => sum + each.bytes_out, 0)];
  heading(page, "Network", `${plural(connects, "connect")}, ${bytes(bytesOut)} out, ${bytes(bytesIn)} in`);
  const lead = { shown: "  ", width: 2 };
  for (const { name, type, answer, count } of names.slice(0, MOST_PEERS))
    put(
      page,
      lead,
      text(`name ${name} (${type})${count > 1 ? `, asked ${number(count)} times` : ""}${answer === "denied" ? ": denied" : ""}`),
      answer === "denied" ? "yellow" : undefined,
    );
  more(page, names.length - MOST_PEERS, "name");
  const hosts = hostsOf(telemetry);
  for (const { protocol, address, port, bytes_in, bytes_out } of flows.slice(0, MOST_PEERS)) {
    const to = addressWords({ family: address.includes(":") ? "inet6" : "inet", address, port }, hosts);
    put(page, lead, text(`${protocol} ${to}  ${bytes(bytes_out)} out, ${bytes(bytes_in)} in`));
  }
  more(page, flows.length - MOST_PEERS, "flow");
  const flowing = new Set(flows.map(({ address, port }) => `${address} ${port}`));
  const rest = peers.filter(({ to }) => !flowing.has(`${to.address} ${to.port}`));
  for (const { kind, to, count, failures } of rest.slice(0, MOST_PEERS)) {
    const failed = Object.keys(failures);
    put(page, lead, text(`${kind} ${addressWords(to, hosts)}${count > 1 ? `, ${number(count)} times` : ""}${failed.length > 0 ? `: ${few(failed, 3)}` : ""}`));
  }
  more(page, rest.length - MOST_PEERS, "address", "addresses");
}

export function putSummary(page: Page, telemetry: Telemetry): void {
  const { syscalls, resources, lost, flags, denials_dropped, stacks_skipped, level, reason } = telemetry;
  heading(page, "Summary");
  const top = Object.entries(syscalls.by_name).toSorted(([, a], [, b]) => b - a);
  const counted = (list: [string, number][]) =>
    few(
      list.map(([name, count]) => `${text(name)} ${number(count)}`),
      TOP,
    );
  const isCounted = level === "full" || syscalls.total > 0;
  field(page, 2, "calls", !isCounted ? "not counted" : `${plural(syscalls.total, "system call")}${top.length > 0 ? `: ${counted(top)}` : ""}`);
  const errors = Object.entries(syscalls.errors).toSorted(([, a], [, b]) => b - a);
  if (errors.length > 0) field(page, 2, "errors", counted(errors));
  const used = [
    ...(resources.memory ? [`${bytes(resources.memory.peak_bytes)} of memory at most`] : []),
    ...(resources.cpu ? [`${number((resources.cpu.user_us + resources.cpu.system_us) / 1000)} ms of cpu`] : []),
    ...(resources.io ? [`${bytes(resources.io.read_bytes)} read and ${bytes(resources.io.write_bytes)} written on disk`] : []),
  ];
  if (used.length > 0) field(page, 2, "used", used.join(", "));
  const missing = [
    ...(lost.events > 0 ? [`${plural(lost.events, "event")} that the kernel had no room for`] : []),
    ...(lost.listed > 0 ? [`${number(lost.listed)} beyond what the lists hold`] : []),
    ...(denials_dropped > 0 ? [plural(denials_dropped, "denial")] : []),
    ...(stacks_skipped > 0 ? [`the stacks of ${plural(stacks_skipped, "denial")}`] : []),
  ];
  const unseen = level === "full" ? "nothing" : text(reason ?? "what this driver does not see");
  field(page, 2, "missing", missing.length > 0 ? missing.join(", ") : unseen, missing.length > 0 || level !== "full" ? "yellow" : undefined);
  if (flags.length > 0) field(page, 2, "flags", flags.join(", "), "yellow");
}

export function putBroken(page: Page, { rule, limit, measured, window_ms, stacks }: BrokenBy): void {
  heading(page, "Broken by a rate rule");
  field(page, 2, "why", `${rule}: ${number(measured)} in ${number(window_ms)} ms, where ${number(limit)} may be (limits.rates.${rule})`, "red");
  for (const { comm, stack } of stacks.slice(0, 4)) {
    field(page, 2, "process", text(comm));
    putStack(page, 2, stack);
  }
}

function more(page: Page, count: number, one: string, many?: string): void {
  if (count > 0) page.lines.push(page.paint("dim", `  and ${plural(count, `more ${one}`, `more ${many ?? `${one}s`}`)}`));
}
