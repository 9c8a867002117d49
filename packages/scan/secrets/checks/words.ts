/** The pairs of letters that words of English are mostly made of. */
const PAIRS = new Set(
  (
    "th he in er an re nd at on nt ha es st en ed to it ou ea hi is or ti as te et ng of al de se le sa si ar ve ra ld ur me ne ll ri ro io ic " +
    "co ec ot ce om li ac el ch ma us ss ca ta ho wa la ut ns di pr pe il lo ct ge tr ee em ai po su so ad ie na id ke ey ck ay ul um un ag am " +
    "ap ec ef ex ev im ir iv ow pa pl pp qu rc rd rs rt ry sh sp ty up ue ui vi wo bl br cr cl fi fo fr ga gr ig ju ki no ob od op os pt re ab av ok"
  ).split(" "),
);

/** Whether a value is words, as names of things are: `getUserToken`, `application/json`, `current-password`. Random text is not, whatever its case. */
export function isWords(value: string): boolean {
  let pairs = 0;
  let known = 0;
  let digits = 0;
  for (let at = 0; at < value.length; at += 1) {
    const unit = value.charCodeAt(at);
    if (unit >= 48 && unit <= 57) digits += 1;
    if (at === 0) continue;
    const pair = value.slice(at - 1, at + 1).toLowerCase();
    if (!/^[a-z]{2}$/.test(pair)) continue;
    pairs += 1;
    if (PAIRS.has(pair)) known += 1;
  }
  if (pairs < 3) return digits === 0;
  return known / pairs >= (digits === 0 ? 0.38 : digits <= 2 ? 0.45 : 0.58);
}
