import { PlastronError } from "@plastron/contracts";

/** For drivers that put no packages into their sandboxes. @throws PlastronError tier_unavailable */
export function refuseImage(driver: string, image: string | null | undefined): void {
  if (!image) return;
  throw new PlastronError("tier_unavailable", `the ${driver} driver gives programs no packages of a runtime`, {
    hint: "Runtimes with packages need the local driver (tier 2): name a language, or ask for no stronger tier.",
  });
}
