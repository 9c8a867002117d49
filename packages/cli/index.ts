/** Nothing imports the command line: it is called as `node packages/cli/main.ts ARGS`. */
export {};
