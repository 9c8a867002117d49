// SPDX-License-Identifier: Apache-2.0 OR MIT OR GPL-2.0-only
/*
 * Plastron's rules in the kernel's own security hooks (BPF LSM), for hosts that boot with lsm=…,bpf. Written for Linux 6.1 and
 * newer; it needs the kernel's BTF, bpf_loop and task storage. The loader (load.c) says whom the rules hold for.
 *
 * Each hook looks at every rule of its table: it denies if one that matches denies, and records the first that decided. A path
 * is found by walking the directory entries of the object itself, so that no other spelling, link or race gives another one.
 * Where memory or a bound runs out, the answer is no.
 *
 * The kernel lets only programs under a GPL-compatible licence use LSM hooks; these files may be used under any of the above.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "kernel.h"
#include "plastron-lsm.h"
#include "glob.bpf.h"
#include "path.bpf.h"
#include "scope.bpf.h"
#include "verdict.bpf.h"
#include "files.bpf.h"
#include "network.bpf.h"
#include "mounts.bpf.h"
#include "tasks.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";
