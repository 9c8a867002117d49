/** What a file is for, as far as its path tells: what runs only on a developer's machine is not where attackers are. */
export type Role = "code" | "test" | "tooling";

const TEST =
  /(^|\/)(tests?|__tests__|__mocks__|specs?|e2e|fixtures?|examples?|samples?|demos?|benchmarks?|bench|docs?|cypress|playwright|stories)\/|[._-](test|spec|e2e|bench|stories|mock)s?\.[cm]?[jt]sx?$|(^|\/)(test_[^/]*|[^/]*_test|conftest)\.py$/i;
const TOOLING =
  /(^|\/)(scripts?|tools?|build|tasks?|ci|\.github|gulp)\/|(^|\/)(gulpfile|gruntfile|rollup\.config|webpack\.config[^/]*|vite\.config|jest\.config|karma\.conf|setup|noxfile|tasks)\.\w+$/i;

/** Whether code there is taken for a test or an example, of which taint says nothing unless it is seen to run (`link/awake.ts`). */
export const isQuietPlace = (path: string): boolean => roleOf(path) === "test";

export type RoleOf = (path: string) => Role;

export function roleOf(path: string): Role {
  return TEST.test(path) ? "test" : TOOLING.test(path) ? "tooling" : "code";
}
