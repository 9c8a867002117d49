/**
 * Where paths come and go while a program runs, or do what no mount option tells: its own places, device nodes, and the files that
 * proc makes for each process. Everything else in a sandbox is there from the start and read-only.
 */
const MOVING = ["/workspace", "/tmp", "/dev", "/proc"];
/** Of proc, what is no process's own: there from the start, and masked like any other file. */
const STANDING_PROC = /^\/proc\/(?!\d|self\b|thread-self\b|net\b|mounts\b)[a-z_][^*?[]*$/;

/** Whether a path that comes and goes can match. */
export function isMoving(glob: string): boolean {
  return !STANDING_PROC.test(glob) && MOVING.some((place) => mayMatchBelow(glob, place));
}

/** Whether nothing but such paths can match. */
export const isOwn = (glob: string): boolean => !STANDING_PROC.test(glob) && MOVING.some((place) => glob.startsWith(`${place}/`));

function mayMatchBelow(glob: string, place: string): boolean {
  const head = glob.slice(0, Math.max(0, glob.search(/[*?[]/))) || (/[*?[]/.test(glob) ? "" : glob);
  return head === glob ? glob === place || glob.startsWith(`${place}/`) : `${place}/`.startsWith(head) || head.startsWith(`${place}/`);
}
