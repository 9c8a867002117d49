import { afterAll, describe, expect, it } from "vitest";
import { bare, type Given, Worker, Workspace } from "./worker-process.ts";

const workspace = new Workspace();
afterAll(() => workspace.remove());

/** Each runs in a worker and under `bash main.sh`; everything that a caller can see must be equal, byte for byte. */
const SAME: Record<string, Given> = {
  prints: { code: "echo 'grüße'; echo err >&2" },
  "arguments and variables": {
    code: 'printf "<%s>" "$0" "$#" "$@"; env | sort; set | grep -i plastron',
    argv: ["a b", "", "ü'\"$x`id`\n\\"],
    env: { A: "1 '2'\n$3 `id`" },
  },
  "line numbers and names": { code: 'f() {\n  echo "${BASH_SOURCE[0]} $LINENO ${FUNCNAME[*]}"; caller 0\n}\nf\nnope\necho after' },
  "a syntax error": { code: "echo before\nif true; then\necho x\n" },
  exit: { code: "trap 'echo bye' EXIT; exit 3" },
  "the last status": { code: "(exit 9)" },
  "set -e": { code: "set -euo pipefail\nfalse | true\necho no" },
  "an unset variable": { code: "set -u; echo $nothing" },
  "a signal": { code: "kill -TERM $$; sleep 1" },
  "standard input": { code: 'read -r a; echo "<$a>"; cat', stdin: "first ü\nrest\nof it" },
  "options and flags": { code: "echo $-; shopt; set -o; declare -F; alias; trap; echo $BASH_SUBSHELL" },
  "return outside of a function": { code: "return 3; echo next" },
  "here documents and processes": { code: "cat <<EOF\n$((1+2))\nEOF\ndiff <(echo a) <(echo b)\nsleep 0.05 & wait; echo $?" },
  "descriptor 3 is free": { code: "echo x >&3; echo $?; exec 3>f; echo kept >&3; cat f; ls /proc/self/fd | tr '\\n' ' '" },
};

describe("a warm bash shows what a bare one shows", () => {
  it.each(Object.entries(SAME))("%s", async (_name, given) => {
    const { done, ...seen } = await (await new Worker(workspace, "bash", "run").ready()).toTheEnd(given);
    expect(seen).toEqual(bare(workspace, "bash", given));
    expect(done).toBeNull(); // the wait status says it
  });

  it("leaves when nobody will ask", async () => {
    expect(await (await new Worker(workspace, "bash", "run").ready()).end()).toBe(0);
  });
});
