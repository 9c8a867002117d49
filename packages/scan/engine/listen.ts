import { type AnalyserName, analyserSchema } from "@plastron/contracts";
import { z } from "zod";
import type { LookGap } from "../analyser.ts";
import type { WorkerProcess } from "./process.ts";
import type { Answer, Arrived } from "./protocol.ts";

export type Looked = (analyser: AnalyserName, look: Arrived) => void;

/** How a piece of work ended. `analyser` is the one that it was in; null where none had begun. */
export type Outcome = { readonly type: "done" } | { readonly type: "died" | "silent"; readonly analyser: AnalyserName | null; readonly gap: LookGap };

/** A look that got less than this share of its time from the machine is waited for longer. */
const FAIR_SHARE = 0.5;
const PATIENCE = 3;

/** Hears a worker out over one order: each look has `timeoutMs`. Rejects where `signal` says so. */
export async function listen(worker: WorkerProcess, timeoutMs: number, looked: Looked, signal?: AbortSignal): Promise<Outcome> {
  let analyser: AnalyserName | null = null;
  let waited = 0;
  const spent = worker.cpuSeconds();
  const stop = () => void worker.kill();
  signal?.addEventListener("abort", stop);
  try {
    for (;;) {
      const event = await worker.next(timeoutMs);
      signal?.throwIfAborted();
      if (event.type === "ended") return { type: "died", analyser, gap: deathGap(event.how, event.memory) };
      if (event.type === "silent") {
        waited++;
        if (waited < PATIENCE && worker.cpuSeconds() - spent < (timeoutMs / 1000) * FAIR_SHARE * waited) continue;
        return {
          type: "silent",
          analyser,
          gap: { kind: "failed", reason: "timeout", detail: `no answer within ${(timeoutMs * waited) / 1000} s`, matters: true },
        };
      }
      const { answer, body } = event;
      if (!isAnswer(answer)) return { type: "died", analyser, gap: LIES };
      waited = 0;
      if (answer.type === "done") return { type: "done" };
      if (answer.type === "began") analyser = answer.analyser;
      if (answer.type === "looked") {
        analyser = null;
        looked(answer.analyser, { ...answer, facts: body.length === 0 ? null : body });
      }
    }
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/** What only a worker would say that something in it has taken over. */
const LIES: LookGap = { kind: "failed", reason: "invalid_answer", detail: "the worker answered what is no answer, twice", matters: true };
const NAMED = z.object({ analyser: analyserSchema });
const LOOKED = NAMED.extend({ ms: z.number(), wanted: z.boolean(), matches: z.array(z.unknown()), gaps: z.array(z.unknown()) });

function isAnswer(answer: Answer): boolean {
  if (answer?.type === "looked") return LOOKED.safeParse(answer).success;
  if (answer?.type === "began") return NAMED.safeParse(answer).success;
  return answer?.type === "done";
}

function deathGap(how: string, memory: boolean): LookGap {
  if (memory) return { kind: "failed", reason: "memory", detail: `it took more memory than a worker may (${how})`, matters: true };
  return { kind: "failed", reason: "crash", detail: `the worker died, twice (${how})`, matters: true };
}
