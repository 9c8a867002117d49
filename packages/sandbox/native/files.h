/* Files into and out of a workspace, by a descriptor of it, while a hostile program may be rearranging it. */
#ifndef PLASTRON_FILES_H
#define PLASTRON_FILES_H
#include <stdint.h>
#include <sys/types.h>

/* Writes `path` (relative) with `mode`, owned by `uid`, making parents. 0, or -1 with errno. */
int put_file(int workspace, const char *path, mode_t mode, uid_t uid, const uint8_t *bytes, uint32_t len);

/* Called with each regular file that matches; at most `budget` bytes in all, a file over it is cut (`size` is its true size). */
typedef void (*file_sink)(void *context, const char *path, uint64_t size, const uint8_t *bytes, uint32_t len);
/* `globs`: NUL-separated patterns of `len` bytes: `*` and `?` stay in one name, `**` crosses directories. Returns whether it
 * was cut short: by the number of entries, or by time, since both the tree and the patterns can be made to take minutes. */
int collect_files(int workspace, const char *globs, uint32_t len, uint32_t budget, file_sink sink, void *context);

int glob_matches(const char *pattern, const char *path);
#endif
