import type { Check } from "./check.ts";
import { crc62, gitlabRoutable, macaroon } from "./checksum.ts";
import { assignedPassword, assignedSecret, connectionPassword, connectionString, randomText } from "./generic.ts";
import { jwt, jwtKubernetes, jwtSupabase } from "./jwt.ts";
import { pem, putty } from "./keys.ts";
import * as structure from "./structure.ts";

export type { Candidate, Check, Judgement } from "./check.ts";

/** What a detector can ask for by name, beyond its pattern. Null has no prototype: a rule cannot name what is not here. */
export const CHECKS: Readonly<Record<string, Check>> = {
  crc62,
  gitlab_routable: gitlabRoutable,
  macaroon,
  jwt,
  jwt_kubernetes: jwtKubernetes,
  jwt_supabase: jwtSupabase,
  pem,
  putty,
  assigned_secret: assignedSecret,
  assigned_password: assignedPassword,
  connection_password: connectionPassword,
  connection_string: connectionString,
  random_text: randomText,
  mixed: structure.mixed,
  has_digit: structure.hasDigit,
  not_hex: structure.notHex,
  discord_bot: structure.discordBot,
  docker_auth: structure.dockerAuth,
  basic_auth: structure.basicAuth,
  json_token: structure.jsonToken,
  decodes_to_bytes: structure.decodesToBytes,
  base64_pem: structure.base64Pem,
  aws_key_id: structure.awsKeyId,
  aws_secret: structure.awsSecret,
  crypt_hash: structure.cryptHash,
  client_bundle: structure.clientBundle,
};
