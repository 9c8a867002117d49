/**
 * What a careful reader said of each grave finding of the set, after reading the package's source around it. true: the code is weak as the finding says, for some
 * user of it. false: it is not. arguable: two careful readers would disagree; it does not count as false, and is counted by itself.
 */
export type Judged = "true" | "false" | "arguable";

export interface Judgement {
  /** As in packages.ts. */
  readonly what: string;
  readonly rule: string;
  readonly path: string;
  /** Part of the line's text: lines move, what they say stays. */
  readonly line: string;
  readonly judged: Judged;
  /** One sentence. */
  readonly why: string;
}

export const JUDGEMENTS: readonly Judgement[] = [
  {
    what: "pypi:mcp-server-sqlite==2025.4.25",
    rule: "code/python/sql-injection",
    path: "mcp_server_sqlite/server.py",
    line: "cursor.execute(query, params)",
    judged: "true",
    why: "The name of a table that a model gave becomes part of `PRAGMA table_info(…)`, which is run as it is; the server was withdrawn over such a hole.",
  },
  {
    what: "pypi:mcp-server-sqlite==2025.4.25",
    rule: "code/python/sql-injection",
    path: "mcp_server_sqlite/server.py",
    line: "cursor.execute(query)",
    judged: "true",
    why: "The same text on the way that `describe_table` takes, which gives no parameters: here the query is run.",
  },
  {
    what: "npm:http-server@14.1.1",
    rule: "code/javascript/path-traversal",
    path: "lib/core/show-dir/index.js",
    line: "fs.readdir(dir",
    judged: "false",
    why: "The handler in lib/core/index.js, the only one that calls this, answers 403 before it where the same path does not begin with the root.",
  },
  {
    what: "pypi:llama-index-core==0.14.25",
    rule: "code/python/sql-injection",
    path: "llama_index/core/utilities/sql_wrapper.py",
    line: "connection.execute(text(command))",
    judged: "arguable",
    why: "A model writes the query and it is run as it is: the purpose of the class, and what its documentation warns of; whoever steers the model steers the database.",
  },
];
