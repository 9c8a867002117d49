/**
 * Whether a workspace path fits a glob: `*` and `?` stay inside one name, `**` as a whole name crosses directories.
 * Both come from a tenant, so this never backtracks over more than length × length steps (a regular expression would).
 */
export function globMatches(glob: string, path: string): boolean {
  const globNames = glob.split("/");
  const pathNames = path.split("/");
  // reached[j]: the first i names of the glob can stand for the first j names of the path.
  let reached = [true, ...pathNames.map(() => false)];
  for (const name of globNames) {
    if (name === "**") {
      const first = reached.indexOf(true);
      reached = reached.map((_, j) => first !== -1 && j >= first);
    } else {
      reached = [false, ...pathNames.map((part, j) => reached[j] === true && nameMatches(name, part))];
    }
  }
  return reached[pathNames.length] === true;
}

function nameMatches(glob: string, name: string): boolean {
  let g = 0;
  let n = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (glob[g] === "*") {
      star = g++;
      resume = n;
    } else if (g < glob.length && (glob[g] === "?" || glob[g] === name[n])) {
      g++;
      n++;
    } else if (star !== -1) {
      g = star + 1;
      n = ++resume;
    } else return false;
  }
  while (glob[g] === "*") g++;
  return g === glob.length;
}
