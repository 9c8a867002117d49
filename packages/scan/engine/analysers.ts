import type { AnalyserName } from "@plastron/contracts";
import type { Analyser } from "../analyser.ts";
import { ofHistory } from "../secrets/history.ts";
import type { AnalyserConfig } from "./protocol.ts";

type Load = (config: AnalyserConfig) => Promise<Analyser>;

/** Every analyser there is. Each is loaded only where it is asked for. `fuzz` is none of them: it runs code, which is done in sandboxes. */
const LOADERS: Partial<Record<AnalyserName, Load>> = {
  async secrets({ rules }) {
    const [{ createSecrets }, { readSecretRules }] = await Promise.all([import("../secrets/index.ts"), import("./secret-rules.ts")]);
    return createSecrets(await readSecretRules(rules)) as Analyser;
  },
  async code({ rules }) {
    const [{ createCode, readCodeRules }, { readCodeDocuments }] = await Promise.all([import("../code/index.ts"), import("./code-rules.ts")]);
    return createCode(readCodeRules(await readCodeDocuments(rules))) as Analyser;
  },
  async dependencies({ advisories }) {
    const [{ createDependencies }, { openAdvisories }] = await Promise.all([import("../dependencies/index.ts"), import("../intake/advisories/open.ts")]);
    return createDependencies(openAdvisories(advisories)) as Analyser;
  },
  async agentware({ rules }) {
    const [{ createAgentware }, { readAgentwareRules }] = await Promise.all([import("../agentware/index.ts"), import("./agentware-rules.ts")]);
    return createAgentware(await readAgentwareRules(rules)) as Analyser;
  },
};

/** The analysers that are asked for, with their rules. Called in each worker, and nowhere else: the parent never loads a parser. */
export async function loadAnalysers(config: AnalyserConfig): Promise<Analyser[]> {
  const analysers = await Promise.all(config.analysers.flatMap((name) => LOADERS[name]?.(config) ?? []));
  return analysers.map((analyser) => (analyser.name === "secrets" ? analyser : presentOnly(analyser)));
}

/** What a commit once added is no part of what would run: only secrets still count there. */
function presentOnly(analyser: Analyser): Analyser {
  const { name, version, file, project, leansOn } = analyser;
  return {
    name,
    version,
    wants: (head) => !ofHistory(head) && analyser.wants(head),
    file: (one) => file.call(analyser, one),
    ...(leansOn ? { leansOn } : {}),
    ...(project
      ? { project: (whole: Parameters<typeof project>[0]) => project.call(analyser, { ...whole, files: whole.files.filter((head) => !ofHistory(head)) }) }
      : {}),
  };
}
