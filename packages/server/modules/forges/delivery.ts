import { PlastronError } from "@plastron/contracts";
import { z } from "zod";

/** What a change is, as its forge tells it. The repository that a head comes from is not: nothing is ever fetched from an address out of an event. */
export interface ToldChange {
  /** What it is one state of: `pull/7`, or a branch. */
  readonly line: string;
  /** The branch that it goes into; null: the default one. */
  readonly target: string | null;
  readonly number: number | null;
  /** Null: nothing was there before. */
  readonly base: string | null;
  readonly head: string;
}

/** What a delivery asks for. */
export type Wish =
  | { readonly do: "judge"; readonly change: ToldChange }
  /** Judge again what was judged: one change, or all with this head. */
  | { readonly do: "again"; readonly id?: string; readonly head?: string }
  | { readonly do: "nothing" };

export interface Delivery {
  readonly installation: number;
  readonly repository: { readonly id: number; readonly name: string };
  readonly wish: Wish;
}

const count = z.int().positive();
const sha = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
const ref = z.string().min(1).max(1000);
const NOTHING: Wish = { do: "nothing" };

const envelope = z.object({
  action: z.string().optional(),
  installation: z.object({ id: count }).optional(),
  repository: z.object({ id: count, full_name: z.string().regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/), default_branch: ref }).optional(),
});
const pull = z.object({
  action: z.string(),
  changes: z.object({ base: z.unknown().optional() }).optional(),
  pull_request: z.object({ number: count, state: z.string(), base: z.object({ sha, ref }), head: z.object({ sha }) }),
});
const review = z.object({ review: z.object({ state: z.string() }) });
const group = z.object({ merge_group: z.object({ head_sha: sha, head_ref: ref, base_sha: sha, base_ref: ref }) });
const push = z.object({ ref, before: sha, after: sha, deleted: z.boolean() });
const checkRun = z.object({ check_run: z.object({ external_id: z.string().nullable(), app: z.object({ id: count }).nullable() }) });
const checkSuite = z.object({ check_suite: z.object({ head_sha: sha, app: z.object({ id: count }) }) });

/**
 * What a signed delivery says (https://docs.github.com/en/webhooks/webhook-events-and-payloads). Null where it is about no repository of an installation.
 * @throws PlastronError invalid_request where it is not of the documented form
 */
export function readDelivery(event: string, body: unknown, app: number): Delivery | null {
  const { installation, repository } = read(envelope, body);
  if (!installation || !repository) return null;
  const wish = wishOf(event, body, { app, branch: repository.default_branch });
  return { installation: installation.id, repository: { id: repository.id, name: repository.full_name }, wish };
}

function wishOf(event: string, body: unknown, { app, branch }: { app: number; branch: string }): Wish {
  const action = `${event}.${(body as { action?: string }).action ?? ""}`;
  switch (action) {
    case "pull_request.opened":
    case "pull_request.synchronize":
    case "pull_request.reopened":
    case "pull_request.ready_for_review":
    case "pull_request_review.dismissed":
      return pullWish(read(pull, body).pull_request, branch);
    case "pull_request_review.submitted":
      // Anybody may remark on a public repository's changes: that approves nothing, and is no reason to scan.
      return read(review, body).review.state.toLowerCase() === "commented" ? NOTHING : pullWish(read(pull, body).pull_request, branch);
    case "pull_request.edited": {
      const { changes, pull_request } = read(pull, body);
      return changes?.base === undefined ? NOTHING : pullWish(pull_request, branch);
    }
    case "merge_group.checks_requested": {
      const { head_ref, head_sha, base_sha, base_ref } = read(group, body).merge_group;
      const number = /\/pr-(\d{1,9})-[0-9a-f]{40,64}$/.exec(head_ref)?.[1];
      return {
        do: "judge",
        change: {
          line: head_ref,
          target: otherThan(branch, base_ref.replace(/^refs\/heads\//, "")),
          number: number ? Number(number) : null,
          base: base_sha,
          head: head_sha,
        },
      };
    }
    case "push.": {
      const told = read(push, body);
      if (told.ref !== `refs/heads/${branch}` || told.deleted) return NOTHING;
      return { do: "judge", change: { line: told.ref, target: null, number: null, base: /^0+$/.test(told.before) ? null : told.before, head: told.after } };
    }
    case "check_run.rerequested": {
      const { external_id, app: whose } = read(checkRun, body).check_run;
      return whose?.id === app && external_id ? { do: "again", id: external_id } : NOTHING;
    }
    case "check_suite.rerequested": {
      const { head_sha, app: whose } = read(checkSuite, body).check_suite;
      return whose.id === app ? { do: "again", head: head_sha } : NOTHING;
    }
    default:
      return NOTHING;
  }
}

function pullWish({ number, state, base, head }: z.output<typeof pull>["pull_request"], branch: string): Wish {
  return state === "open"
    ? { do: "judge", change: { line: `pull/${number}`, target: otherThan(branch, base.ref), number, base: base.sha, head: head.sha } }
    : NOTHING;
}

const otherThan = (branch: string, target: string) => (target === branch ? null : target);

function read<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new PlastronError("invalid_request", `The delivery is not as GitHub describes it: ${first?.path.join(".")}: ${first?.message}`.slice(0, 300));
}
