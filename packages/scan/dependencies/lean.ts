import type { KeptFacts, Project } from "../analyser.ts";
import type { CodeFacts, Outline } from "../outline.ts";
import type { DependencyFacts } from "./facts.ts";

/** All lists of packages, and of the code what it takes from packages: abilities and the artifact's own modules are nothing to advisories. */
export function leansOn(project: Project): KeptFacts[] {
  const lists = project.facts<DependencyFacts>("dependencies");
  if (lists.size === 0) return [];
  return [
    ...[...lists].map(([key, facts]): KeptFacts => ({ analyser: "dependencies", key, facts })),
    ...[...project.facts<CodeFacts>("code")].flatMap(([key, facts]): KeptFacts[] =>
      facts?.outline === undefined ? [] : [{ analyser: "code", key, facts: { outline: taken(facts.outline) } }],
    ),
  ];
}

function taken({ language, imports, uses }: Outline): Outline {
  return { language, imports: imports.filter(isOutside), uses: uses.filter(isOutside), abilities: [] };
}

const isOutside = ({ module }: { module: string }): boolean => !/^(?:[./#]|node:)/.test(module);
