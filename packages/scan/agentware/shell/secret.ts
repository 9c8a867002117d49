import type { Lists } from "../lists.ts";

/** Keys, sessions and money: nothing but their owner's own tools opens these. */
const HIGH_VALUE =
  /ssh[/\\]|id_(?:rsa|ed25519|ecdsa)|cookies|login data|key4\.db|logins\.json|keychain|find-generic-password|wallet|electrum|keystore|solana|exodus|nkbih|gnupg|shadow|mcp\.json|claude_desktop|_history|openclaw[/\\]|clawdbot[/\\]/i;
const CLOUD = /\.aws|gcloud|default_credentials|kube[/\\]config|git-credentials|netrc|npmrc|pypirc|docker[/\\]config|169\.254|metadata\.google/i;

/** One of these is in every place of a secret; a look for them costs a tenth of a look for the places. */
const SECRETISH =
  /ssh|id_|aws|gcloud|credential|kube|docker|netrc|npmrc|pypirc|pgpass|gnupg|gpg|mcp\.json|claude|openclaw|clawdbot|\.env|shadow|sudoers|login|local state|cookies|key4|keychain|password|wallet|electrum|ethereum|solana|nkbih|_history|environ|169\.254|metadata/i;

/** The secret that a text names, by its place. Public halves of keys and templates of settings are none. */
export function secretOf(text: string, lists: Lists): string | null {
  if (!SECRETISH.test(text)) return null;
  const found = lists.pattern("secret_places").exec(text);
  if (!found) return null;
  const around = text.slice(found.index, found.index + found[0].length + 16);
  return /\.pub\b|\.example\b|\.sample\b|\.template\b|\.dist\b/.test(around) ? null : found[0].trim();
}

export function secretTraits(text: string): string[] {
  return HIGH_VALUE.test(text) ? ["high-value"] : CLOUD.test(text) ? ["cloud"] : [];
}
