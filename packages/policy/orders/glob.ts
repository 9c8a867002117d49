/** The meaning of globs is the same for who compiles a rule and for who carries it out. */
export { globMatches } from "@plastron/contracts";
