/** What can be opened, and `sealed` what is known to be an archive that cannot. */
export type ArchiveKind = "zip" | "tar" | "gzip" | "zstd" | "sealed";

const ZIP_NAMES = /\.(zip|jar|war|ear|whl|egg|pyz|apk|aab|xpi|crx|vsix|nupkg|ipa|difypkg|skill|mcpb|dxt)$/i;
const MAGIC: readonly [string, ArchiveKind][] = [
  ["PK\x03\x04", "zip"],
  ["PK\x05\x06", "zip"],
  ["\x1f\x8b\x08", "gzip"],
  ["\x28\xb5\x2f\xfd", "zstd"],
  ["7z\xbc\xaf\x27\x1c", "sealed"],
  ["Rar!\x1a\x07", "sealed"],
  ["\xfd7zXZ\0", "sealed"],
  ["BZh", "sealed"],
];

/** By its first bytes; by its name where something stands before the archive (a self-running .pyz, an installer). */
export function archiveKind(path: string, bytes: Uint8Array): ArchiveKind | null {
  const start = Buffer.from(bytes.subarray(0, 8)).toString("latin1");
  const byMagic = MAGIC.find(([magic]) => start.startsWith(magic))?.[1];
  if (byMagic === "sealed" && start.startsWith("BZh") && !/^BZh[1-9]1AY&/.test(start)) return null;
  if (byMagic) return byMagic;
  if (Buffer.from(bytes.subarray(257, 262)).toString("latin1") === "ustar") return "tar";
  if (ZIP_NAMES.test(path) && bytes.length >= 22) return "zip";
  return /\.tar$/i.test(path) && bytes.length >= 512 ? "tar" : null;
}
