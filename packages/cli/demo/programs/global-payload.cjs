// What the attacker sends. A declaration is hoisted: in a runner that shares its script with the code, this parseInt is the runner's.
// biome-ignore lint/suspicious/noShadowRestrictedNames: this is the attack
// biome-ignore lint/correctness/noUnusedVariables: the runner calls it
function parseInt() {
  overwrite();
  return 0;
}

function overwrite() {
  const { writeFileSync, writeSync } = require("node:fs");
  const flag = "/etc/plastron-demo/flag";
  const tell = (mark, detail = "") => writeSync(1, `::${mark} ${detail}\n`);
  writeFileSync(`/tmp/control-${process.pid}`, "x");
  tell("control");
  tell("attempted");
  try {
    writeFileSync(flag, "overwritten by the attacker");
    tell("succeeded", `as uid ${process.getuid()}, before the change of uid: ${flag} overwritten`);
  } catch (error) {
    tell(["EACCES", "EPERM", "EROFS"].includes(error.code) ? "denied" : "broken", error.code);
  }
}
