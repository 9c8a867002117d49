import { PlastronError } from "@plastron/contracts";
import type { SandboxDriver, Session, SessionSpec } from "@plastron/sandbox";

/** How many ended sessions are remembered, so that their owner hears `session_gone` rather than `not_found`. */
const REMEMBERED = 1024;

/** The sessions of this agent. Every look-up names the tenant: another tenant's id answers as one that never was. */
export interface SessionRegistry {
  readonly size: number;
  /** Opens a session that is closed `ttlMs` milliseconds after. Errors: conflict (the id is in use), the driver's. */
  open(spec: SessionSpec, ttlMs: number): Promise<void>;
  /** Errors: not_found (unknown, or another tenant's), session_gone (ended). */
  find(id: string, tenant: string): Session;
  /** Closing one that has ended already is no error. Errors: not_found. */
  close(id: string, tenant: string, reason: string): Promise<void>;
  closeAll(reason: string): Promise<void>;
}

interface Entry {
  tenant: string;
  /** null while it is being opened. */
  session: Session | null;
  timer: NodeJS.Timeout | undefined;
}

export function sessionRegistry(driver: Pick<SandboxDriver, "openSession">): SessionRegistry {
  const live = new Map<string, Entry>();
  const ended = new Map<string, string>();

  async function open(spec: SessionSpec, ttlMs: number): Promise<void> {
    if (live.has(spec.session_id) || ended.has(spec.session_id)) throw new PlastronError("conflict", "A session of this id exists already");
    const entry: Entry = { tenant: spec.tenant, session: null, timer: undefined };
    live.set(spec.session_id, entry);
    try {
      entry.session = await driver.openSession(spec);
    } catch (error) {
      live.delete(spec.session_id);
      throw error;
    }
    if (live.get(spec.session_id) !== entry) {
      // closeAll ran while the sandbox was being made.
      await entry.session.close("shutdown");
      throw new PlastronError("session_gone", "The session was closed while it was being opened");
    }
    entry.timer = setTimeout(() => void drop(spec.session_id, entry, "the session's time to live is over").catch(() => {}), ttlMs);
    entry.timer.unref();
  }

  function find(id: string, tenant: string): Session {
    const entry = live.get(id);
    if (entry?.tenant === tenant && entry.session?.alive) return entry.session;
    if (entry?.tenant === tenant && entry.session) void drop(id, entry, "ended").catch(() => {});
    if (entry?.tenant === tenant || ended.get(id) === tenant) throw new PlastronError("session_gone", "The session has ended");
    throw new PlastronError("not_found", "There is no such session");
  }

  async function close(id: string, tenant: string, reason: string): Promise<void> {
    const entry = live.get(id);
    if (entry?.tenant === tenant) return drop(id, entry, reason);
    if (ended.get(id) !== tenant) throw new PlastronError("not_found", "There is no such session");
  }

  async function drop(id: string, entry: Entry, reason: string): Promise<void> {
    if (live.get(id) !== entry) return;
    clearTimeout(entry.timer);
    live.delete(id);
    ended.set(id, entry.tenant);
    for (const oldest of ended.keys()) {
      if (ended.size <= REMEMBERED) break;
      ended.delete(oldest);
    }
    await entry.session?.close(reason);
  }

  return {
    get size() {
      return live.size;
    },
    open,
    find,
    close,
    closeAll: async (reason) => {
      await Promise.allSettled([...live].map(([id, entry]) => drop(id, entry, reason)));
    },
  };
}
