import { PlastronError } from "@plastron/contracts";
import { z } from "zod";
import type { TenantStore } from "./store.ts";

/** A tenant's id is a name that its operator chose: lower case, digits, hyphens. */
export const tenantIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower case letters, digits and hyphens");

export interface Tenant {
  id: string;
  created_at: Date;
}

/** Customers of the platform. Every other object belongs to one. */
export class TenantService {
  readonly #store: TenantStore;
  constructor(store: TenantStore) {
    this.#store = store;
  }

  exists(id: string): Promise<boolean> {
    return this.#store.exists(id);
  }

  list(): Promise<Tenant[]> {
    return this.#store.list();
  }

  /** @throws PlastronError conflict */
  async create(id: string): Promise<Tenant> {
    const tenant = await this.#store.insert(id);
    if (tenant === undefined) throw new PlastronError("conflict", "A tenant with this id exists");
    return tenant;
  }
}
