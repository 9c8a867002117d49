import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCluster, type TestCluster } from "../testing/database.ts";
import { type Admission, type Connection, type Finish, GroupCommit } from "./group-commit.ts";
import { openClient } from "./pool.ts";

let sequence = 0;
function admission(): Admission {
  const id = `run_${String(++sequence).padStart(4, "0")}`;
  return {
    ...{ id, tenant: "default", server: "s", session_id: null, key_id: "key", language: "python3", policy: "default", policy_version: null },
    policy_sha256: null,
    runtime: null,
    project: null,
    artifact: null,
    network: null,
    ...{ confinement: "c", code_sha256: "h", created_at: new Date().toISOString() },
  };
}
function finish(text = "out", more: Partial<Finish> = {}): Finish {
  const stdout = Buffer.from(text).toString("base64");
  return { status: "completed", finished_at: new Date().toISOString(), result: { exit_code: 0 }, artifacts: null, problem: null, stdout, stderr: "", ...more };
}

describe("grouping", () => {
  interface Sent {
    begun: { id: string; status: string }[];
    ended: { id: string }[];
    hits: { data: { n: number } }[];
    answer(error?: Error): void;
  }

  /** A database that answers each statement when the test says so. */
  function scripted() {
    const sent: Sent[] = [];
    const connection: Connection = {
      query: ({ values }) =>
        new Promise((resolve, reject) =>
          sent.push({
            begun: JSON.parse(values[0] as string),
            ended: JSON.parse(values[1] as string),
            hits: JSON.parse(values[2] as string),
            answer: (error) => (error ? reject(error) : resolve({ rowCount: 1 })),
          }),
        ),
      end: async () => {},
    };
    return { sent, commit: new GroupCommit({ connect: async () => connection, lingerMs: 5, patienceMs: 300 }) };
  }
  async function next(sent: Sent[], count: number): Promise<Sent> {
    while (sent.length < count) await sleep(1);
    return sent[count - 1] as Sent;
  }

  it("writes a run that ended before its admission was written as one row", async () => {
    const { sent, commit } = scripted();
    const run = admission();
    commit.admit(run);
    const done = commit.finish(run.id, finish());
    const statement = await next(sent, 1);
    expect(statement.begun).toMatchObject([{ id: run.id, status: "completed" }]);
    expect(statement.ended).toEqual([]);
    statement.answer();
    await done;
  });

  it("puts everything that came during one transaction into the next", async () => {
    const { sent, commit } = scripted();
    const [first, ...others] = [admission(), admission(), admission(), admission()];
    commit.admit(first as Admission);
    const statement = await next(sent, 1);
    const done = others.map((run) => {
      commit.admit(run);
      return commit.finish(run.id, finish());
    });
    done.push(commit.finish((first as Admission).id, finish()));
    statement.answer();
    const second = await next(sent, 2);
    expect(second.begun).toHaveLength(3);
    expect(second.ended).toMatchObject([{ id: (first as Admission).id }]);
    second.answer();
    await Promise.all(done);
    expect(sent).toHaveLength(2);
  });

  it("resolves nothing before its commit", async () => {
    const { sent, commit } = scripted();
    const run = admission();
    let durable = false;
    const promise = commit.admitNow(run).then(() => {
      durable = true;
    });
    const statement = await next(sent, 1);
    await sleep(20);
    expect(durable).toBe(false);
    statement.answer();
    await promise;
    expect(durable).toBe(true);
  });

  it("says the same again after a lost connection, so that either outcome of the first try is made good", async () => {
    const { sent, commit } = scripted();
    const run = admission();
    commit.admit(run);
    const done = commit.finish(run.id, finish());
    (await next(sent, 1)).answer(new Error("Connection terminated unexpectedly"));
    const second = await next(sent, 2);
    expect(second.begun).toMatchObject([{ id: run.id, status: "completed" }]);
    expect(second.ended).toMatchObject([{ id: run.id }]);
    expect(commit.reachable).toBe(false);
    second.answer();
    await done;
    expect(commit.reachable).toBe(true);
  });

  it("keeps violations that wait through a lost connection, with what came meanwhile", async () => {
    const { sent, commit } = scripted();
    const run = admission();
    const violation = (n: number) => ({ at: new Date().toISOString(), tenant: "t", run: run.id, data: { n } });
    commit.admit(run);
    const first = commit.note(violation(0));
    const statement = await next(sent, 1);
    const second = commit.note(violation(1));
    const done = commit.finish(run.id, finish());
    statement.answer(new Error("Connection terminated unexpectedly"));
    const repeated = await next(sent, 2);
    expect(repeated.hits.map(({ data }) => data.n)).toEqual([0, 1]);
    repeated.answer();
    await Promise.all([first, second, done]);
  });

  it("gives up on a database that stays away, with an error that says so", async () => {
    const commit = new GroupCommit({
      connect: () => Promise.reject(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })),
      lingerMs: 1,
      patienceMs: 50,
    });
    const run = admission();
    commit.admit(run);
    await expect(commit.finish(run.id, finish())).rejects.toMatchObject({ code: "database_unavailable" });
  });

  it("does not let one record that cannot be written spoil the others", async () => {
    const { sent, commit } = scripted();
    const runs = [admission(), admission()] as const;
    const done = runs.map((run) => {
      commit.admit(run);
      return commit.finish(run.id, finish());
    });
    const outcomes = Promise.allSettled(done);
    (await next(sent, 1)).answer(new Error("invalid input syntax"));
    (await next(sent, 2)).answer(new Error("invalid input syntax"));
    (await next(sent, 3)).answer();
    expect((await outcomes).map((outcome) => outcome.status)).toEqual(["rejected", "fulfilled"]);
  });
});

describe("the statement, in PostgreSQL", () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
  }, 60_000);
  afterAll(() => cluster.stop());

  async function open() {
    const connection = await cluster.database();
    const reader = await openClient(connection, () => {});
    const connect = () => openClient(connection, () => {});
    return { commit: new GroupCommit({ connect, lingerMs: 1 }), reader, connect };
  }
  const types = async (reader: Connection & { query: unknown }) =>
    (
      await (reader as unknown as { query(q: string): Promise<{ rows: { type: string; subject: string }[] }> }).query(
        "select type, subject from events order by seq",
      )
    ).rows;

  it("keeps output as the program printed it, and other text as far as PostgreSQL can", async () => {
    const { commit, reader } = await open();
    const run = admission();
    const bytes = Buffer.from([0, 255, 254, 65]);
    commit.admit(run);
    await commit.finish(run.id, finish("", { stdout: bytes.toString("base64"), result: { reason: "a\u0000b\ud800" } }));
    const { rows } = await reader.query("select stdout, result->>'reason' as reason from runs");
    expect(rows[0].stdout.equals(bytes)).toBe(true);
    expect(rows[0].reason).toBe("a\ufffdb\ufffd");
    await commit.close();
    await reader.end();
  });

  it("writes each event once, also where the same is said twice", async () => {
    const { commit, reader, connect } = await open();
    const run = admission();
    await commit.admitNow(run);
    await commit.finish(run.id, finish());
    const again = new GroupCommit({ connect, lingerMs: 1 });
    again.admit(run);
    await again.finish(run.id, finish("other"));
    expect(await types(reader as never)).toEqual([
      { type: "run.admitted", subject: run.id },
      { type: "run.finished", subject: run.id },
    ]);
    expect((await reader.query("select stdout from runs")).rows[0].stdout.toString()).toBe("out");
    await Promise.all([commit.close(), again.close()]);
    await reader.end();
  });

  it("writes a violation while its run goes on, and once however often it is given", async () => {
    const { commit, reader, connect } = await open();
    const run = admission();
    const violation = (n: number) => ({ at: new Date().toISOString(), tenant: "default", run: run.id, data: { n, path: "a\u0000" } });
    const rows = [violation(0), violation(1), violation(2)] as const;
    commit.admit(run);
    await commit.note(rows[0]);
    expect((await types(reader as never)).map(({ type }) => type)).toEqual(["run.admitted", "violation"]);
    const again = new GroupCommit({ connect, lingerMs: 1 }); // as after an unknown outcome: what was written, and what was not
    await Promise.all([again.note(rows[0]), again.note(rows[1]), commit.note(rows[1])]);
    await commit.finish(run.id, finish(), [...rows]);
    expect((await types(reader as never)).map(({ type }) => type)).toEqual(["run.admitted", "violation", "violation", "violation", "run.finished"]);
    expect((await reader.query("select data->>'path' as path from events where type = 'violation' limit 1")).rows).toEqual([{ path: "a\ufffd" }]);
    await Promise.all([commit.close(), again.close()]);
    await reader.end();
  });

  it("writes a hundred runs in few transactions", async () => {
    const { commit, reader } = await open();
    await Promise.all(
      Array.from({ length: 100 }, () => {
        const run = admission();
        commit.admit(run);
        return commit.finish(run.id, finish("x".repeat(1000)));
      }),
    );
    const { rows } = await reader.query("select count(*)::int as runs, count(distinct xmin::text)::int as transactions from runs");
    expect(rows[0].runs).toBe(100);
    expect(rows[0].transactions).toBeLessThan(10);
    await commit.close();
    await reader.end();
  });

  it("goes on after its connection was cut", async () => {
    const { commit, reader } = await open();
    await commit.admitNow(admission());
    await reader.query("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()");
    const run = admission();
    commit.admit(run);
    await commit.finish(run.id, finish());
    expect((await reader.query("select count(*)::int as n from runs where status = 'completed'")).rows).toEqual([{ n: 1 }]);
    await commit.close();
    await reader.end();
  });
});
