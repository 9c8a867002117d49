import type { Analyser } from "../analyser.ts";
import type { AnalyserConfig } from "./protocol.ts";

/** Every analyser there is, with its rules. Called in each worker, and nowhere else: the parent never loads a parser. */
export async function loadAnalysers(config: AnalyserConfig): Promise<Analyser[]> {
  const all: Analyser[] = [];
  return all.filter(({ name }) => config.analysers.includes(name));
}
