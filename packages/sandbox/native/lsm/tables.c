#include "tables.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct head {
    char magic[8];
    __u32 version;
    struct counts counts;
};

static int refused(const char **what, const char *why) {
    *what = why;
    errno = EBADMSG;
    return -1;
}

/* `count` values, one after another, from the file into the array of that name. */
static int fill(struct bpf_object *object, FILE *file, const char *name, __u32 count, const char **what) {
    struct bpf_map *map = bpf_object__find_map_by_name(object, name);
    *what = name;
    if (!map || count > bpf_map__max_entries(map)) return errno = E2BIG, -1;
    size_t size = bpf_map__value_size(map);
    void *value = malloc(size);
    if (!value) return -1;
    int failed = 0;
    for (__u32 i = 0; i < count && !failed; i++) {
        if (fread(value, size, 1, file) != 1)
            failed = refused(what, "cut short");
        else
            failed = bpf_map_update_elem(bpf_map__fd(map), &i, value, BPF_ANY);
    }
    free(value);
    return failed;
}

static int fill_all(struct bpf_object *object, FILE *file, const struct counts *counts, const char **what) {
    const struct {
        const char *name;
        __u32 count;
    } arrays[] = {
        {"capabilities", MAX_CAPABILITIES}, {"sets", counts->sets},     {"files", counts->files},     {"sockets", counts->sockets},
        {"connects", counts->connects},     {"mounts", counts->mounts}, {"ptraces", counts->ptraces},
    };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        if (fill(object, file, arrays[i].name, arrays[i].count, what)) return -1;
    return 0;
}

int load_tables(struct bpf_object *object, const char *path, const char **what) {
    struct head head;
    __u32 zero = 0;
    FILE *file = fopen(path, "re");
    *what = path;
    if (!file) return -1;
    int failed = fread(&head, sizeof head, 1, file) != 1 || memcmp(head.magic, LSM_MAGIC, sizeof head.magic) || head.version != LSM_VERSION;
    if (failed) failed = refused(what, "no table file, or of another version");
    if (!failed) failed = fill_all(object, file, &head.counts, what);
    if (!failed && fgetc(file) != EOF) failed = refused(what, "more than it says");
    /* The counts last: until then no rule is looked at, and the hooks are not attached anyway. */
    if (!failed) failed = bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, "counts"), &zero, &head.counts, BPF_ANY);
    fclose(file);
    return failed;
}
