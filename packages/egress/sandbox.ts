import { type FromEgress, type NetworkRules, type PlacedSecret, type ViolationEvent, ViolationRoom } from "@plastron/contracts";
import { Account, type Dialled, type Held } from "./account.ts";
import { monotonicUs } from "./clock.ts";
import { Relatives } from "./dns/relatives.ts";
import { StandIns } from "./dns/stand-ins.ts";
import { type Carried, TunnelWatch } from "./dns/tunnel.ts";
import { compileRules, type Rules } from "./rules/compiled.ts";
import type { Verdict } from "./rules/judge.ts";
import { Vault } from "./secrets/vault.ts";

/** Why something was refused, in words that go into the record and to the program. */
export interface Refusal {
  id: string;
  path: string;
  why: string;
  /** What would allow it. */
  hint?: string;
  /** Nobody forbids it: there is nothing to be reached. */
  isMissing?: true;
}

/** What of one sandbox has room is told within so long: a flood must cost the program more than it costs us. What has none is counted. */
const WINDOW_MS = 1000;
/** How often what has gone out is held against a limit. */
const LIMIT_MS = 50;

/** One sandbox as the egress process knows it: whose it is, its rules, its names, and what went through. */
export class Sandbox {
  readonly rules: Rules;
  readonly standIns = new StandIns();
  readonly account = new Account();
  /** Requests that have begun and are not answered (http/proxy.ts). */
  waiting = 0;
  #vault = new Vault([]);
  readonly #token: string;
  readonly #tell: (message: FromEgress) => void;
  readonly #open = new Set<Held>();
  #window = { at: 0, room: new ViolationRoom() };
  #relatives = new Relatives();
  #lastName = { name: "", at: 0 };
  #dropped = 0;
  readonly #tunnels = new TunnelWatch();
  #sawTunnel = false;
  #limit: NodeJS.Timeout | undefined;
  #isSpent = false;
  #tenant: string | null = null;
  /** Two tenants were named for it: it is nobody's, for good. */
  #disputed = false;

  constructor(token: string, network: NetworkRules, names: Rules["names"], tell: (message: FromEgress) => void) {
    this.rules = compileRules(network, names);
    this.#token = token;
    this.#tell = tell;
  }

  /** Whose secrets its requests may have; null: nobody's. */
  get tenant(): string | null {
    return this.#disputed ? null : this.#tenant;
  }

  /** Whose share of the process it uses up: its tenant's, or its own while it has none. */
  get owner(): string {
    return this.#tenant === null ? `sandbox ${this.#token}` : `tenant ${this.#tenant}`;
  }

  /** What it may use of its tenant's secrets, and what is kept out of the answers that it gets. */
  get vault(): Vault {
    return this.#vault;
  }

  /**
   * Once, with what it may use of that tenant's secrets. A second tenant is refused: the sandbox has neither's secrets from then
   * on, and all that is open ends.
   */
  assign(tenant: string, secrets: readonly PlacedSecret[] = []): void {
    const isFirst = this.#tenant === null;
    this.#tenant ??= tenant;
    if (isFirst) this.#vault = new Vault(secrets);
    if (this.#tenant === tenant) return;
    this.#disputed = true;
    this.#end();
  }

  /** Ends a connection of the relay when the sandbox goes; `to`: of a stream, which is counted. */
  hold(socket: Held, to: Dialled | null): void {
    this.#open.add(socket);
    if (to) this.account.hold(socket, to);
    socket.once("close", () => this.#open.delete(socket));
  }

  /** Whether more has gone out than the limit allows: nothing goes any more. */
  get isSpent(): boolean {
    return this.#isSpent;
  }

  /** Of what goes out from now on, in place of the limit before. What is over it by then was on its way within LIMIT_MS. */
  limit(id: number, bytes: number | null): void {
    clearInterval(this.#limit);
    this.#isSpent = false;
    if (bytes === null) return;
    const before = this.account.traffic().bytes_out;
    this.#limit = setInterval(() => this.#check(id, bytes, this.account.traffic().bytes_out - before), LIMIT_MS);
    this.#limit.unref();
  }

  /** Whether the questions of this sandbox carry something out. Said once, and then again for what is not answered any more. */
  noteQuestion(name: string): Carried {
    const carried = this.#tunnels.ask(name, performance.now());
    if (carried === "nothing") return carried;
    this.account.flag("dns_tunnel");
    if (carried === "too-much") this.#tellName(name, (event) => this.recordRefusal(TUNNEL, event));
    else if (!this.#sawTunnel) this.#send(TUNNEL.id, "", "AUDIT", nameEvent(name), TUNNEL.why);
    this.#sawTunnel = true;
    return carried;
  }

  /** A name that does not exist is asked for once for each family, and by some again: one record a second says it. */
  recordName(verdict: Verdict, name: string, hint: string): void {
    this.#tellName(name, (event) => this.record(verdict, event, hint));
  }

  /** `hint`: of what was denied. */
  record(verdict: Verdict, event: ViolationEvent, hint: string | null = null): void {
    for (const { rule, action } of verdict.records) {
      const { id, path } = this.#named(rule);
      this.#send(id, path, action, event, action === "DENIED" ? hint : null);
    }
  }

  /** What no rule of the policy says, but the platform: always recorded. */
  recordRefusal({ id, path, why, hint }: Refusal, event: ViolationEvent): void {
    this.#send(id, path, "DENIED", event, hint ?? why);
  }

  /** The placeholder of a secret on its way to where the secret may not go. It goes on, and is worth nothing there. */
  noteStray({ name, key, hosts }: PlacedSecret, event: ViolationEvent): void {
    this.#send(
      "secrets",
      `secrets.${name}/${key}`,
      "AUDIT",
      event,
      `Secret ${name}/${key} is put into requests to ${hosts.join(", ")} alone: name this host in its grant.`,
    );
  }

  /** The refusal that a verdict stands for. */
  refusalOf({ rule }: Verdict): Refusal {
    if (rule === null) return { id: "defaultAction", path: "", why: "no rule allows it" };
    const { id, path } = this.#named(rule);
    return { id, path, why: `${id}${path === "" ? "" : ` (${path})`}` };
  }

  /** How many were not told since the last time that this was asked. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#relatives = new Relatives();
    this.#window = { at: 0, room: new ViolationRoom() };
    return dropped;
  }

  forget(): void {
    clearInterval(this.#limit);
    this.#end();
  }

  #end(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #check(id: number, limit: number, bytes: number): void {
    if (bytes <= limit) return;
    clearInterval(this.#limit);
    this.#isSpent = true;
    this.#tell({ type: "exceeded", token: this.#token, id, bytes_out: bytes });
    this.#end();
  }

  #tellName(name: string, tell: (event: ViolationEvent) => void): void {
    const now = performance.now();
    if (name === this.#lastName.name && now - this.#lastName.at < 1000) return;
    this.#lastName = { name, at: now };
    tell(nameEvent(name));
  }

  #named(rule: number): { id: string; path: string } {
    return this.rules.names[rule] ?? { id: "networkProxyRawRules", path: "" };
  }

  #send(rule_id: string, rule_path: string, action: "DENIED" | "AUDIT" | "ALLOWED", event: ViolationEvent, hint: string | null = null): void {
    const now = performance.now();
    if (now - this.#window.at > WINDOW_MS) this.#window = { at: now, room: new ViolationRoom() };
    const told = isName(event) ? this.#relatives.add(`${action} ${rule_id}`, event.host) : "";
    if (told === null || !this.#window.room.take({ rule_id, action })) this.#dropped++;
    else
      this.#tell({
        type: "violation",
        token: this.#token,
        rule_id,
        rule_path,
        action,
        event: isName(event) ? nameEvent(told) : event,
        hint,
        at_us: monotonicUs(),
      });
  }
}

const TUNNEL: Refusal = {
  id: "egress/dns-tunnel",
  path: "",
  why: "so many new, long and coded names below one domain carry data out by their questions",
  hint: "Allow the names that are needed instead of a wildcard.",
};

type HttpEvent = Extract<ViolationEvent, { type: "http" }>;

/** A question for a name, as one of the shapes that there are: no request has an empty method. */
function nameEvent(host: string): HttpEvent {
  return { operation: "Network", type: "http", method: "", host, path: "", port: 53 };
}

const isName = (event: ViolationEvent): event is HttpEvent => "host" in event && event.method === "" && event.port === 53;
