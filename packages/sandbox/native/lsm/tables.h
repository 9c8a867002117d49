#ifndef PLASTRON_LSM_TABLES_H
#define PLASTRON_LSM_TABLES_H
#include <linux/types.h>
#include <bpf/libbpf.h>
#include "plastron-lsm.h"

/* Puts a table file into the maps of a loaded object. -1, with errno and `*what`, where it is not one, wholly. */
int load_tables(struct bpf_object *object, const char *path, const char **what);
#endif
