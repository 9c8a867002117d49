/**
 * Asks providers whether the secrets that were found still work. Off unless somebody asks for it: it tells a provider that this machine has that
 * secret, from this address. The secrets are read out of the artifact again, as no finding holds them.
 */
import type { Match } from "@plastron/contracts";
import { type FileHead, fileKey } from "../../analyser.ts";
import type { Artifact, ArtifactFile } from "../../intake/artifact.ts";
import { decode } from "../../intake/classify.ts";
import { type FoundState, revealSecrets, type SecretVerifier, verifiersOf, withState } from "../../secrets/index.ts";
import { OWN_RULES } from "../options.ts";
import { readSecretRules } from "../secret-rules.ts";
import { httpVerifier } from "./http.ts";

export { type HttpVerifierOptions, httpVerifier } from "./http.ts";

const AT_ONCE = 4;

/** The matches, with what providers said of those that have one. Only our own rules say who is asked. */
export async function verifyMatches(matches: readonly Match[], artifact: Pick<Artifact, "files" | "read">, given?: SecretVerifier): Promise<Match[]> {
  const documents = await readSecretRules([OWN_RULES]);
  const verifier = given ?? httpVerifier(verifiersOf(documents));
  const digests = new Set(matches.flatMap(({ secret }) => (secret ? [secret.digest] : [])));
  const states = new Map<string, FoundState>();
  for (const file of filesOf(matches, artifact.files)) {
    const bytes = await artifact.read(file).catch(() => null);
    if (bytes === null) continue;
    const { encoding, ...rest } = file;
    const told = revealSecrets(documents, { ...rest, bytes, text: decode(bytes, encoding) });
    const asked = told.filter(({ digest }) => digests.has(digest) && !states.has(digest));
    for (let at = 0; at < asked.length; at += AT_ONCE) {
      const answers = asked.slice(at, at + AT_ONCE).map(async ({ digest, verify, secret }) => states.set(digest, await verifier.verify(verify ?? "", secret)));
      await Promise.all(answers);
    }
  }
  return matches.map((match) => (match.secret ? withState(match, states.get(match.secret.digest) ?? "unverified") : match));
}

/** The files in which secrets were found. Of a place's layers the first are the file's, the others are in its text. */
function filesOf(matches: readonly Match[], files: readonly ArtifactFile[]): ArtifactFile[] {
  const byKey = new Map(files.map((file) => [file.key, file]));
  const wanted = new Set<ArtifactFile>();
  for (const { place, secret } of matches) {
    if (!secret) continue;
    for (let count = place.layers.length; count >= 0; count -= 1) {
      const file = byKey.get(fileKey({ path: place.path, layers: place.layers.slice(0, count) } satisfies Pick<FileHead, "path" | "layers">));
      if (file) wanted.add(file);
      if (file) break;
    }
  }
  return [...wanted];
}
