import { writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule, TestRunEndReason, TestSuite, Vitest } from "vitest/node";

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** The one line that ends a test run; scripts read it. */
export const closingLine = ({ passed, failed, skipped }: Counts): string => `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** A skip is honest only where its title or its note names what this machine lacks: `freezes a cgroup [needs: root]`. */
const NAMES_WHAT_IT_NEEDS = /\[needs: [^\]]+\]/;

/**
 * Counts tests and ends with the closing line, or writes the counts as JSON to `file` where another check prints the sum
 * (test/main.ts). Files that do not load and errors outside of tests count as failures: neither shows in vitest's own numbers.
 */
export class Tally implements Reporter {
  readonly #file: string | undefined;
  #filtered = false;
  constructor(file?: string) {
    this.#file = file;
  }

  onInit(vitest: Vitest): void {
    this.#filtered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[], reason: TestRunEndReason): void {
    const counts = this.#count(modules);
    counts.failed += unhandled.length;
    if (reason !== "passed" && counts.failed === 0) counts.failed = 1;
    if (counts.failed > 0) process.exitCode = 1;
    if (this.#file) writeFileSync(this.#file, JSON.stringify(counts));
    else console.log(`\n${closingLine(counts)}`);
  }

  #count(modules: readonly TestModule[]): Counts {
    const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      if (module.errors().length > 0) counts.failed++;
      for (const test of module.children.allTests()) {
        const verdict = this.#verdict(test);
        if (verdict === "left out") continue;
        counts[verdict]++;
      }
    }
    return counts;
  }

  #verdict(test: TestCase): keyof Counts | "left out" {
    const result = test.result();
    if (result.state === "passed" || result.state === "failed") return result.state;
    const note = "note" in result ? (result.note ?? "") : "";
    if (NAMES_WHAT_IT_NEEDS.test(test.fullName) || NAMES_WHAT_IT_NEEDS.test(note)) return "skipped";
    // vitest marks what `-t` leaves out as skipped too; nobody claims anything about those.
    if (this.#filtered) return "left out";
    // A failed beforeAll skips what follows; its error is shown already, and what was not tested has not passed.
    if (hasErrors(test)) return "failed";
    console.error(`✗ ${test.module.relativeModuleId} › ${test.fullName}: skipped without naming what it needs, as [needs: root]`);
    return "failed";
  }
}

function hasErrors(test: TestCase): boolean {
  for (let around: TestSuite | TestModule = test.parent; ; around = around.parent) {
    if (around.errors().length > 0) return true;
    if (around.type === "module") return false;
  }
}
