/** Packs of rules as they lie on a disk or behind an address. */
export { fetchBundle } from "./fetch.ts";
export { readRuleFolder } from "./folder.ts";
export { listPacks, openNew, type PackEntry, packFolders, packNamed, putPack, removePack } from "./store.ts";
