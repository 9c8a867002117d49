import type { Violation } from "@plastron/contracts";
import type { Around, Confirmed } from "./confirm.ts";
import { runEngine } from "./engine.ts";
import type { Input } from "./frames.ts";
import type { Harness } from "./harness.ts";

/**
 * Rules of the sandbox's policy that a target hits when it is called, and not by being loaded. The sandbox's own word, not the target's; replayed all the
 * same, so that the input is known: with no input, with the whole corpus, and then with ever smaller parts of it.
 */
export async function confirmViolations(around: Around, harness: Harness, seen: readonly Violation[], corpus: readonly Input[]): Promise<Confirmed[]> {
  const wanted = new Set(seen.map(nameOf));
  for (const name of await hit([])) wanted.delete(name);
  if (wanted.size === 0 || corpus.length === 0) return [];
  const [name] = [...wanted].filter((one) => one !== "").slice(0, 1);
  if (name === undefined) return [];
  let inputs = corpus.slice(0, 128);
  if (!(await hit(inputs)).has(name)) return [];
  while (inputs.length > 1) {
    const half = inputs.slice(0, inputs.length >> 1);
    inputs = (await hit(half)).has(name) ? half : inputs.slice(inputs.length >> 1);
  }
  if (!(await hit(inputs)).has(name)) return [];
  const message = `a call hits the rule ${name} of the sandbox's policy`;
  return [
    { harness, oracle: "sandbox-violation", key: `violation:${name}`, message, stack: "", input: inputs[0] as Input, seed: around.seed, pump: null, times: [] },
  ];

  async function hit(some: readonly Input[]): Promise<Set<string>> {
    const { result } = await runEngine(
      around.sandbox,
      { mode: "replay", harness, prepared: around.prepared, seed: around.seed, ms: 2000, patienceMs: 2000, inputs: some },
      around.signal,
    );
    return new Set(result.violations.map(nameOf));
  }
}

function nameOf({ rule_id, event }: Violation): string {
  return `${rule_id} (${event.operation})`;
}
