/**
 * What the egress process is started through (util-linux, which is essential on Debian): it leaves no core file, in which secrets
 * would be (one byte, and not none: with 0 the host's handler of core dumps is started all the same), keeps of root's rights those
 * to read its own code, wherever that lies, and to become nobody, and can never have another.
 */
export const EGRESS_BOUND = [
  ...["/usr/bin/prlimit", "--core=1:1", "--"],
  ...["/usr/bin/setpriv", "--no-new-privs", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all,+setuid,+setgid,+dac_read_search"],
] as const;
