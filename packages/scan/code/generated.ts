/** Code that a tool wrote: bundles and minified files. Names in it say nothing, and what it exports is nobody's interface. */
export function isGenerated(path: string, text: string): boolean {
  if (/[.-]min\.[cm]?js$|\.bundle\.js$|\.umd(\.min)?\.js$/.test(path)) return true;
  if (text.length < 5000) return false;
  const head = text.slice(0, 2000);
  if (/__webpack_require__|webpackBootstrap|parcelRequire/.test(head)) return true;
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0 && lines < 100_000; at = text.indexOf("\n", at + 1)) lines++;
  return text.length / lines > 350;
}
