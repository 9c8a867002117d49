import type { Control } from "@plastron/contracts";

/** What a probe found; the doctor adds its name and how long it took. */
export type Finding = Pick<Control, "status" | "detail"> & { remedy?: string };

export interface Probe {
  id: string;
  title: string;
  required: boolean;
  timeoutMs: number;
  try(): Promise<Finding>;
}

export const working = (detail: string): Finding => ({ status: "working", detail });
export const missing = (detail: string, remedy?: string): Finding => ({ status: "missing", detail, remedy });
export const degraded = (detail: string, remedy?: string): Finding => ({ status: "degraded", detail, remedy });

/** Tries one control. A probe that throws or takes too long is a control that is missing, with that as its detail. */
export async function tryProbe(probe: Probe): Promise<Control> {
  const began = performance.now();
  const { remedy, ...finding } = await Promise.race([probe.try().catch((error) => missing(`the probe failed: ${messageOf(error)}`)), tooLate(probe.timeoutMs)]);
  return { id: probe.id, title: probe.title, required: probe.required, ...finding, remedy: remedy ?? null, ms: Math.round(performance.now() - began) };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function tooLate(ms: number): Promise<Finding> {
  return new Promise((resolve) => setTimeout(() => resolve(missing(`no answer within ${ms} ms`)), ms).unref());
}
