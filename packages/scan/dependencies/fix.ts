import type { Tool } from "./facts.ts";
import { isPlain, shown } from "./shown.ts";

/** What is known of a package when somebody asks how to get rid of it. */
export interface FixAsked {
  readonly tool: Tool;
  readonly name: string;
  readonly version: string;
  /** Not affected by anything known; null: there is none. */
  readonly to: string | null;
  readonly direct: boolean;
  /** The direct dependency that brings it. */
  readonly through: string | null;
  /** Every package that needs it takes the new version by its own range already. */
  readonly allowed: boolean;
  readonly development: boolean;
  readonly malicious: boolean;
}

/** What to do, in words and as a command where the names are such that it may be copied. */
export function fixText(asked: FixAsked): string {
  const { name, version, to, direct, through } = asked;
  const what = shown(name);
  if (asked.malicious && to === null) {
    const via = direct || through === null ? "" : ` It comes through ${shown(through)}: remove or replace that.`;
    return `Remove ${what} now.${via} Treat every machine that installed it as taken over: change the secrets that it could read.`;
  }
  if (to === null) {
    const via = direct || through === null ? "" : `, or ${shown(through)}, which brings it`;
    return `No version of ${what} is known to be free of this. Do without it${via}, or keep what it is given away from untrusted input.`;
  }
  const safe = isPlain(name) && isPlain(to);
  const lead =
    direct || through === null
      ? `Raise ${what} from ${shown(version)} to ${shown(to)} or later`
      : `Raise ${what} to ${shown(to)} or later; it comes through ${shown(through)}`;
  const command = safe ? commandOf(asked.tool, name, to, asked) : null;
  return command === null ? `${lead}.` : `${lead}: ${command}`;
}

type Place = Pick<FixAsked, "direct" | "allowed" | "through" | "development">;

function commandOf(tool: Tool, name: string, to: string, place: Place): string | null {
  const direct = place.direct || (place.through === null && tool !== "other");
  const dev = place.development;
  const raise = place.through !== null && isPlain(place.through) ? place.through : null;
  switch (tool) {
    case "npm":
      if (direct) return `npm install ${dev ? "--save-dev " : ""}${name}@${to}`;
      return place.allowed
        ? `npm update ${name}`
        : `${upgrade(raise, "npm install", "@latest")}"overrides": {"${name}": "${to}"} in package.json, then npm install`;
    case "pnpm":
      if (direct) return `pnpm add ${dev ? "-D " : ""}${name}@${to}`;
      return place.allowed
        ? `pnpm update --recursive ${name}`
        : `${upgrade(raise, "pnpm update --latest", "")}"pnpm": {"overrides": {"${name}": "${to}"}} in package.json, then pnpm install`;
    case "yarn":
      if (direct) return `yarn add ${dev ? "--dev " : ""}${name}@${to}`;
      return `${upgrade(raise, "yarn up", "")}"resolutions": {"${name}": "${to}"} in package.json, then yarn install`;
    case "bun":
      if (direct) return `bun add ${dev ? "--dev " : ""}${name}@${to}`;
      return `${upgrade(raise, "bun update", "")}"overrides": {"${name}": "${to}"} in package.json, then bun install`;
    case "uv":
      return direct ? `uv add ${dev ? "--dev " : ""}'${name}>=${to}'` : `uv lock --upgrade-package '${name}>=${to}'`;
    case "poetry":
      return direct ? `poetry add ${dev ? "--group dev " : ""}'${name}>=${to}'` : `poetry update ${name}`;
    case "pdm":
      return direct ? `pdm add ${dev ? "-d " : ""}'${name}>=${to}'` : `pdm update ${name}`;
    case "pipenv":
      return `pipenv upgrade '${name}>=${to}'`;
    case "pip":
      return `pip install '${name}>=${to}', and ${name}==${to} in the file`;
    case "conda":
      return `conda install '${name}>=${to}'`;
    case "cargo":
      return `cargo update -p ${name} --precise ${to}`;
    case "go":
      return `go get ${name}@${to.startsWith("v") || name === "stdlib" ? to : `v${to}`}`;
    case "bundler":
      return `bundle update ${name} --conservative`;
    case "composer":
      return direct ? `composer require ${name}:^${to}` : `composer update ${name} --with-dependencies`;
    case "maven":
    case "gradle":
    case "nuget":
    case "other":
      return null;
  }
}

/** First the clean way, then the one that needs nobody else. */
function upgrade(raise: string | null, command: string, suffix: string): string {
  return raise === null ? "" : `try ${command} ${raise}${suffix}; where that brings no newer one, `;
}
