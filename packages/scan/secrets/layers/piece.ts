/** A text that stands in another one by some encoding; `from` and `to` are where in that other one. */
export interface Piece {
  readonly text: string;
  readonly layer: string;
  readonly from: number;
  readonly to: number;
}

const NAME_BEFORE = /[A-Za-z_][\w.-]{0,47}["']?\]?\s{0,4}(?:=>|[:=]{1,2})\s{0,4}$/;

/** What was decoded, with the name that it is the value of, if there is one: `password: a3ViZQ==` is `password: "kube"`. */
export function named(text: string, from: number, decoded: string): string {
  const quoted = /["'`]/.test(text[from - 1] ?? "") ? from - 1 : from;
  const name = NAME_BEFORE.exec(text.slice(Math.max(0, quoted - 60), quoted))?.[0];
  return name === undefined || /["\r\n\\]/.test(decoded) ? decoded : `${name}"${decoded}"`;
}

/** Whether nearly all of it is text that somebody could have written. */
export function isText(decoded: string): boolean {
  let odd = 0;
  for (let at = 0; at < decoded.length; at += 1) {
    const unit = decoded.charCodeAt(at);
    if (!((unit >= 32 && unit < 127) || unit === 10 || unit === 13 || unit === 9)) odd += 1;
  }
  return odd <= decoded.length / 32;
}
