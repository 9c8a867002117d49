/**
 * What a path says of what lies there. made: written by a program (bundles, lock files, source maps), where names and values stand by chance.
 * test, docs: made to be read, with keys that were made up. config: where values stand without quotes.
 */
export type PlaceKind = "made" | "test" | "docs" | "words" | "config" | "plain";

export function placeKind(path: string): PlaceKind {
  const lower = path.toLowerCase();
  if (MADE.test(lower)) return "made";
  if (WORDS.test(lower)) return "words";
  if (TEST.test(lower)) return "test";
  if (DOCS.test(lower)) return "docs";
  return CONFIG.test(lower) ? "config" : "plain";
}

const MADE =
  /(^|\/)(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|uv\.lock|pipfile\.lock|cargo\.lock|composer\.lock|gemfile\.lock|go\.sum|bun\.lock|flake\.lock|pdm\.lock|record)$|\.(map|min\.js|min\.mjs|min\.css|bundle\.js|chunk\.js|svg|css|wasm|lock|pyc|so|node|a|o|dll|exe|dylib|woff2?|ttf|png|jpe?g|gif|ico|pdf|snap)$|\.pack\.js$|(^|\/)(\.yarn|\.pnp\.[a-z]+)/;
const WORDS = /(^|\/)(locales?|i18n|l10n|lang|langs|languages|translations?|messages)\/|\.(po|pot|mo|xlf|xliff|strings|resx|arb)$/;
const TEST =
  /(^|[/_.-])(tests?|testing|testdata|testsuite|specs?|__tests__|__mocks__|mocks?|fixtures?|snapshots?|cassettes|e2e|benchmarks?|bench|fuzz|testlib|idlelib_test|selftest|demos?|examples?|samples?|playground|stories|storybook|tutorials?|cookbook)([/_.-]|$)/;
const DOCS =
  /(^|\/)(docs?|documentation|guides?|man)\/|\.(md|mdx|markdown|rst|adoc|txt|html?|ipynb|1|3|5|8)$|(^|\/)(readme|changelog|changes|history|news|pkg-info|metadata|license|copyright)[^/]{0,20}$/;
const CONFIG =
  /(^|\/)(\.env[^/]{0,30}|[^/]{1,60}\.env|dockerfile[^/]{0,20}|\.npmrc|\.pypirc|\.netrc|_netrc|credentials|config|\.s3cfg|\.pgpass|\.my\.cnf|\.boto)$|\.(ya?ml|ini|cfg|conf|cnf|properties|toml|tfvars|tf|env|envrc|sh|bash|zsh|plist|reg|config|xml|ovpn)$/;

/** Lines as only programs write them: their names are one letter and their strings no longer anybody's. */
export function isMinified(text: string, at: number): boolean {
  const from = Math.max(0, at - 600);
  const to = Math.min(text.length, at + 600);
  if (to - from < 700) return false;
  for (let i = from; i < to; i += 1) if (text.charCodeAt(i) === 10) return false;
  return true;
}
