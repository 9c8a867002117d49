import type { Deed } from "./deed.ts";
import type { Command } from "./lex.ts";
import { program } from "./program.ts";

/** What one command of a pipeline reads the last one sends. */
export function sendingSecrets(deed: Deed): Deed {
  const sends = deed.name === "send" || (deed.name === "contact" && deed.traits.includes("takes-input"));
  return sends ? { ...deed, name: "send", traits: [...deed.traits, "sends-secret"] } : deed;
}

/** `env | curl -d @- …`: every variable of the machine at once. */
export function dumpsEnvironment([first]: readonly Command[]): boolean {
  if (!first) return false;
  const { name, rest } = program(first);
  return /^(?:env|printenv|set|export)$/.test(first.words.at(-1) ?? "") || (/^(?:printenv|export)$/.test(name) && rest.every((word) => word === "-p"));
}

/** Each look goes over the commands near by. */
const MAX_KEPT = 20;
const NEAR = 600;

/** `echo '…' >> ~/.bashrc`, `(crontab -l; echo '…') | crontab -`: what would run again is written there as a text. */
export function keptCommands(commands: readonly Command[], deeds: readonly Deed[]): Deed[] {
  return deeds
    .filter(({ name }) => name === "persistence")
    .slice(0, MAX_KEPT)
    .flatMap(({ start, end }) =>
      commands
        .filter((command) => command.end <= end && command.start > start - NEAR && /^(?:echo|printf|tee|cat)$/.test(program(command).name))
        .slice(-5)
        .flatMap((command) => [...program(command).rest, command.fed])
        .filter((text) => /\s/.test(text.trim()))
        .slice(0, 10)
        .map((text) => ({ name: "", start, end, detail: "", traits: [], inner: { text: withoutTimes(text.replace(/\\n/g, "\n")), layer: "" } })),
    );
}

/** Cron's five fields ahead of a command. */
function withoutTimes(text: string): string {
  return text.replace(/^[ \t]*(?:@\w{4,10}|(?:[\d*][\d*/,-]*[ \t]+){5})/gm, "");
}

/** Names that are looked up with a variable's value in them carry what the same text read of secrets. */
export function carriedByNames(deeds: Deed[]): Deed[] {
  if (!deeds.some(({ name }) => name === "secret-read")) return deeds;
  const byName = ({ name, detail, traits }: Deed) => name === "contact" && detail.includes("$") && !detail.includes("://") && traits.includes("takes-input");
  return deeds.map((deed) => (byName(deed) ? sendingSecrets(deed) : deed));
}
