import type { Image, PackageRequest } from "@plastron/contracts";

/** One version of a runtime, as it is stored. */
export interface VersionRow {
  name: string;
  version: number;
  language: Image["from"];
  /** Whether NAME alone means this one. */
  current: boolean;
  image: string;
  lock_sha256: string;
  lock: string;
  packages: Image["packages"];
  request: PackageRequest;
  files: number;
  bytes: number;
  built_at: Date;
  created_at: Date;
  created_by: string;
}
