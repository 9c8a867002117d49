import { z } from "zod";

/** sha256 of an image's content (every path, mode, link target and byte), hexadecimal. */
export const imageIdSchema = z.string().regex(/^[0-9a-f]{64}$/, "not an image's digest");

/** What an image is made of: the interpreter's own, then these packages, nothing else. */
export const packageRequestSchema = z.discriminatedUnion("from", [
  z
    .object({
      from: z.literal("python3"),
      requirements: z
        .string()
        .max(256 * 1024)
        .describe("lines of a requirements.txt"),
    })
    .strict(),
  z
    .object({
      from: z.literal("nodejs"),
      package_json: z
        .string()
        .max(256 * 1024)
        .describe("dependencies of a package.json"),
      package_lock: z
        .string()
        .max(16 * 1024 * 1024)
        .nullable()
        .default(null)
        .describe("package-lock.json, where there is one"),
    })
    .strict(),
]);
export type PackageRequest = z.infer<typeof packageRequestSchema>;

export const imagePackageSchema = z.object({
  name: z.string(),
  version: z.string(),
  hash: z.string().nullable().describe("of the archive, as its registry names it: sha256:…, sha512-…"),
});

/** What is known of a finished image. `lock` is the exact list that it was installed from; equal locks give one image. */
export const imageSchema = z.object({
  id: imageIdSchema,
  from: z.enum(["python3", "nodejs"]),
  lock_sha256: z.string(),
  lock: z.string(),
  packages: z.array(imagePackageSchema),
  files: z.int(),
  bytes: z.int(),
  built_at: z.iso.datetime(),
});
export type Image = z.infer<typeof imageSchema>;
