import type { Place } from "@plastron/contracts";
import { lastingKey, outermost } from "../../findings/places.ts";

export interface SarifLocation {
  physicalLocation: {
    artifactLocation: { uri: string; uriBaseId: string };
    region: { startLine: number; startColumn?: number; endLine?: number; endColumn?: number; snippet?: { text: string } };
  };
  logicalLocations?: { fullyQualifiedName: string }[];
  message?: { text: string };
}

/**
 * A place as SARIF says it. What lies within an archive is at the archive's first line: the file that a repository has. Columns are counted in UTF-16
 * units on both sides; an end that is not behind its start is left out.
 */
export function locationOf(place: Place, message?: string): SarifLocation {
  const inside = outermost(place) !== place.path;
  const { line, column, end_line, end_column } = place;
  const end = end_line > line || (end_line === line && end_column > column) ? { endLine: end_line, endColumn: end_column } : {};
  const region = inside ? { startLine: 1 } : { startLine: line, startColumn: column, ...end, ...(place.snippet ? { snippet: { text: place.snippet } } : {}) };
  return {
    physicalLocation: { artifactLocation: { uri: uriOf(outermost(place)), uriBaseId: "%SRCROOT%" }, region },
    ...(inside ? { logicalLocations: [{ fullyQualifiedName: `${lastingKey(place)}:${line}:${column}` }] } : {}),
    ...(message === undefined ? {} : { message: { text: plain(message) } }),
  };
}

/** A relative reference and nothing else: never a scheme, a host, a root or a way up, whatever the artifact calls its files. */
export function uriOf(path: string): string {
  const names = path.split("/").filter((name) => name !== "" && name !== "." && name !== "..");
  return (
    names.map((name) => encodeURIComponent(name.toWellFormed()).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`)).join("/") ||
    "%20"
  );
}

/** Text in which no link can stand: SARIF reads `[words](target)` (3.11.6), and the words may be the artifact's. */
export function plain(text: string): string {
  return text.replaceAll("](", "] (").replace(/[\p{Cc}--[\n\t]]/gv, "\ufffd") || " ";
}
