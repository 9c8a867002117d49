import type { Match } from "@plastron/contracts";

export type Exposure = "internet" | "production" | "development" | "test" | "example";

/** Words of our own source specifications: what a flow's first step says where data comes from the network. */
const FROM_NETWORK = /\b(https?|request|req\.|query (string|parameter)|url parameter|header|cookie|body|websocket|web socket|upload|route|handler|remote)/i;
const TEST =
  /(^|\/)(tests?|__tests__|__mocks__|spec|specs|testing|fixtures?|e2e|testdata|mocks?)\/|[._-](test|spec)s?\.[a-z]+$|(^|\/)(test_[^/]*|conftest)\.py$/i;
const EXAMPLE = /(^|\/)(examples?|demos?|samples?|docs?|documentation|tutorials?|bench(marks?)?|playground)\//i;
const TOOLS =
  /(^|\/)(scripts?|tools?|tooling|ci|\.github|\.gitlab|build|hack)\/|(^|\/)(gulpfile|gruntfile|webpack\.config|rollup\.config|vite\.config|setup)\.[a-z]+$/i;

/** Who can get at the code in which a finding stands, as far as its path, its package and its flow tell. */
export function exposureOf(match: Pick<Match, "place" | "flow" | "package">): Exposure {
  const { path } = match.place;
  if (TEST.test(path)) return "test";
  if (EXAMPLE.test(path)) return "example";
  if (match.package?.development) return "development";
  const [source] = match.flow;
  if (source?.kind === "source" && FROM_NETWORK.test(source.message)) return "internet";
  return TOOLS.test(path) ? "development" : "production";
}
