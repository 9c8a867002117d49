import { PlastronError } from "@plastron/contracts";
import { z } from "zod";

/** `admin` may all that `run` may, and `run` all that `read` may. */
export const scopeSchema = z.enum(["admin", "run", "read"]);
export type Scope = z.infer<typeof scopeSchema>;

/** Who asks. Everything that a request may see or change belongs to its tenant. */
export interface Principal {
  key: string;
  tenant: string;
  scopes: readonly Scope[];
  /** The project that the key is bound to: it can do nothing past it. */
  project: string | null;
}

/** The tenant of whoever operates this installation: its admins make tenants, and keys for all of them. */
export const OPERATOR_TENANT = "default";

const GRANTS: Record<Scope, readonly Scope[]> = { admin: ["admin"], run: ["admin", "run"], read: ["admin", "run", "read"] };

/** @throws PlastronError forbidden */
export function requireScope(principal: Principal, scope: Scope): void {
  if (!GRANTS[scope].some((granted) => principal.scopes.includes(granted))) throw new PlastronError("forbidden", `This needs a key with the scope ${scope}`);
}

export function isOperator(principal: Principal): boolean {
  return principal.tenant === OPERATOR_TENANT && principal.scopes.includes("admin");
}

/** @throws PlastronError forbidden, in the same words whether or not the other tenant exists */
export function requireOperator(principal: Principal): void {
  if (!isOperator(principal)) throw new PlastronError("forbidden", "This needs an admin key of the operator's tenant");
}

/** A key that is bound to a project has no say in another's. @throws PlastronError forbidden */
export function demandOwn({ project: bound }: Pick<Principal, "project">, name: string): void {
  if (bound !== null && name !== bound) throw new PlastronError("forbidden", `This key is bound to the project ${bound}`);
}
