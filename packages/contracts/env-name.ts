import { z } from "zod";

/** What tells programs whom to trust: the platform's to say where it ends TLS for a sandbox (docs/guides/reach-one-api.md). */
export const TRUST_VARIABLES = [
  ...["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT"],
  ...["AWS_CA_BUNDLE", "DENO_CERT", "CARGO_HTTP_CAINFO", "HTTPLIB2_CA_CERTS"],
] as const;
const LOADING = ["ENV", "IFS", "PATH", "SHELLOPTS", "GCONV_PATH", "HOME", "TMPDIR"];
const TRUSTING: readonly string[] = [...TRUST_VARIABLES, "SSL_CERT_DIR", "GIT_SSL_CAPATH", "GIT_SSL_NO_VERIFY"];

/** Environment names a request may set. Loader and interpreter switches could change what runs, and others whom it trusts: refused. */
export const envNameSchema = z
  .string()
  .max(128)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "not a variable name")
  .refine((name) => !/^(LD_|PYTHON|NODE_|BASH_|PLASTRON_)/.test(name) && !LOADING.includes(name), "this variable would change what the runtime loads")
  .refine((name) => !TRUSTING.includes(name) || /^NODE_/.test(name), "this variable would change whom programs trust, which is the platform's to say");
