import type { RuntimeHead, Runtimes } from "../client/client.ts";
import { renderTable } from "../terminal/table.ts";
import { line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

export function showList(heads: readonly RuntimeHead[], terminal: Terminal): void {
  const rows = heads.map((one) => [
    one.name,
    `${one.version}`,
    one.language,
    `${one.packages_total}`,
    size(one.bytes),
    one.built_at.slice(0, 19),
    one.created_by,
  ]);
  for (const text of renderTable(["NAME", "VERSION", "LANGUAGE", "PACKAGES", "SIZE", "BUILT", "BY"], rows, terminal)) line(terminal.out, text);
}

/** All of one version, and the others in a line each. */
export function showOne(runtime: Runtimes, terminal: Terminal): void {
  const { out } = terminal;
  const facts: [string, string][] = [
    ["Language", runtime.language],
    ["Version", `${runtime.version}${runtime.current ? ", the current one" : ""}`],
    ["Size", `${size(runtime.bytes)} in ${runtime.files} files`],
    ["Built", `${runtime.built_at.slice(0, 19)} for ${runtime.created_by}`],
    ["Lock", `sha256:${runtime.lock_sha256}`],
  ];
  line(out, terminal.paint("bold", printable(runtime.name)));
  for (const [name, value] of facts) line(out, `${terminal.paint("dim", name.padEnd(10))}${printable(value)}`);
  line(out);
  const rows = runtime.packages.map(({ name, version, hash }) => [printable(name), printable(version), { text: printable(hash ?? "") }]);
  for (const text of renderTable(["PACKAGE", "VERSION", "ARCHIVE"], rows, terminal)) line(out, text);
  line(out);
  const versions = runtime.versions.map((one) => [
    `${one.version}${one.current ? " *" : ""}`,
    size(one.bytes),
    `${one.packages_total}`,
    one.created_at.slice(0, 19),
    one.created_by,
  ]);
  for (const text of renderTable(["VERSION", "SIZE", "PACKAGES", "MADE", "BY"], versions, terminal)) line(out, text);
}

export function size(bytes: number): string {
  if (bytes < 1024 * 1024) return `${Math.ceil(bytes / 1024)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
