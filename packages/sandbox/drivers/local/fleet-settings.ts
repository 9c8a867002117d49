/** When pools grow, shrink and turn into zygotes. Tests use others than the defaults. */
export interface FleetSettings {
  /** Cores that a tenant's starts of one kind must cost (takes a second × seconds a start) for a zygote to be worth its memory. */
  zygoteCores: number;
  /** A zygote is replaced after this age or this many children: all of them share its address-space layout. */
  zygoteMaxAgeMs: number;
  zygoteMaxChildren: number;
  maxZygotes: number;
  /** A pool that nobody asked for this long is given up. */
  idleMs: number;
  boxMaxAgeMs: number;
  /** What a confinement hides is looked up again this often: programs are installed while we run. */
  hiddenMaxAgeMs: number;
  /** More kinds of sandboxes are not kept warm at a time. */
  maxPools: number;
  processPoolMax: number;
  zygotePoolMax: number;
}

export const FLEET_DEFAULTS: FleetSettings = {
  zygoteCores: 0.3,
  zygoteMaxAgeMs: 15 * 60_000,
  zygoteMaxChildren: 20_000,
  maxZygotes: 4,
  idleMs: 60_000,
  boxMaxAgeMs: 10 * 60_000,
  hiddenMaxAgeMs: 10 * 60_000,
  maxPools: 128,
  processPoolMax: 8,
  zygotePoolMax: 16,
};
