/* Files: opening, executing, and every change of a directory entry that path rules would otherwise miss. */
#ifndef PLASTRON_LSM_FILES_H
#define PLASTRON_LSM_FILES_H

#define OPENED_FOR_READ 1u  /* FMODE_READ */
#define OPENED_FOR_WRITE 2u /* FMODE_WRITE */
#define OPENED_BY_EXEC 0x20u /* __FMODE_EXEC, in f_flags */
#define OPEN_APPEND 02000u
#define MAP_EXECUTABLE 4ul /* PROT_EXEC, VM_EXEC */

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MAX_FILES);
    __type(key, __u32);
    __type(value, struct file_rule);
} files SEC(".maps");

struct file_search {
    struct scratch *scratch;
    __u32 start, length, wanted;
    struct verdict verdict;
};

static long try_file_rule(__u32 index, void *context) {
    struct file_search *search = context;
    const struct file_rule *rule = bpf_map_lookup_elem(&files, &index);
    if (!rule) return 1;
    if (!(rule->permissions & search->wanted)) return 0;
    if (glob_matches(&rule->glob, search->scratch->path, search->start, search->length)) found(&search->verdict, rule->rule, rule->flags);
    return 0;
}

static __always_inline int settle_file(struct file_search *search) {
    const struct counts *have = counted();
    if (!have) return -E_PERM;
    if (!search->verdict.reported && !search->verdict.denied) bpf_loop(have->files, try_file_rule, search, 0);
    struct event *event = record(&search->verdict, search->wanted & FILE_EXEC ? EVENT_EXEC : EVENT_FILE);
    if (event) {
        event->detail[0] = search->wanted;
        bpf_probe_read_kernel_str(event->text, sizeof event->text, &search->scratch->path[search->start & (PATH_BYTES - 1)]);
        bpf_ringbuf_submit(event, 0);
    }
    return answer(&search->verdict);
}

static __always_inline struct scratch *own_scratch(void) {
    return bpf_task_storage_get(&scratches, bpf_get_current_task_btf(), 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/* Not inlined: many hooks come here, and each would carry the whole search. */
static __noinline int check_entry(struct vfsmount *mount, struct dentry *dentry, __u32 wanted) {
    struct file_search search = {.scratch = own_scratch(), .wanted = wanted};
    const struct counts *have = counted();
    if (!have || !have->files) return 0;
    if (!search.scratch || path_of(search.scratch, mount, dentry, &search.start)) return -E_PERM;
    search.length = PATH_BYTES - search.start;
    search.scratch->path[PATH_BYTES] = 0;
    return settle_file(&search);
}

static __always_inline int check_path(const struct path *path, __u32 wanted) {
    return check_entry(BPF_CORE_READ(path, mnt), BPF_CORE_READ(path, dentry), wanted);
}

static __always_inline int check_in(const struct path *directory, struct dentry *dentry, __u32 wanted) {
    return check_entry(BPF_CORE_READ(directory, mnt), dentry, wanted);
}

static __always_inline int check_file(struct file *file, __u32 wanted) {
    return check_entry(BPF_CORE_READ(file, f_path.mnt), BPF_CORE_READ(file, f_path.dentry), wanted);
}

/* What the kernel opens in order to execute is looked at by bprm_check_security, or when it is mapped. */
SEC("lsm/file_open")
int BPF_PROG(open_file, struct file *file, int ret) {
    if (ret || !is_confined()) return ret;
    __u32 flags = BPF_CORE_READ(file, f_flags), mode = BPF_CORE_READ(file, f_mode), wanted = 0;
    if (flags & OPENED_BY_EXEC) return 0;
    if (mode & OPENED_FOR_READ) wanted |= FILE_READ | FILE_COPY;
    if (mode & OPENED_FOR_WRITE) wanted |= flags & OPEN_APPEND ? FILE_APPEND : FILE_WRITE;
    return wanted ? check_file(file, wanted) : 0;
}

/*
 * By the file that was found, whatever led there, and by the name that was given: `wget` may be a link to a program of many
 * names. What is relative is as if it stood in `/`.
 */
static __noinline int check_program(struct file *file, const char *name) {
    struct file_search search = {.scratch = own_scratch(), .wanted = FILE_EXEC};
    const struct counts *have = counted();
    if (!have || !have->files) return 0;
    if (!search.scratch || path_of(search.scratch, BPF_CORE_READ(file, f_path.mnt), BPF_CORE_READ(file, f_path.dentry), &search.start)) return -E_PERM;
    search.length = PATH_BYTES - search.start;
    search.scratch->path[PATH_BYTES] = 0;
    bpf_loop(have->files, try_file_rule, &search, 0);
    if (!search.verdict.denied && !search.verdict.reported) {
        search.scratch->path[0] = '/';
        long length = bpf_probe_read_kernel_str(&search.scratch->path[1], PATH_BYTES - 2, name);
        if (length <= 0 || length > PATH_BYTES - 2) return -E_PERM;
        search.start = search.scratch->path[1] == '/';
        search.length = (__u32)length - search.start;
    }
    return settle_file(&search);
}

/* Called for the program and again for each interpreter of a `#!` line. */
SEC("lsm/bprm_check_security")
int BPF_PROG(execute, struct linux_binprm *bprm, int ret) {
    if (ret || !is_confined()) return ret;
    return check_program(BPF_CORE_READ(bprm, file), BPF_CORE_READ(bprm, interp));
}

/* `ld.so PROGRAM`, or a program named as another's interpreter, is mapped and never executed. */
SEC("lsm/mmap_file")
int BPF_PROG(map_file, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags, int ret) {
    if (ret || !file || !(prot & MAP_EXECUTABLE) || !is_confined()) return ret;
    struct task_struct *task = bpf_get_current_task_btf();
    if (BPF_CORE_READ(task, mm, exe_file) == file) return 0; /* looked at when it was executed */
    return check_file(file, FILE_EXEC);
}

SEC("lsm/file_mprotect")
int BPF_PROG(make_executable, struct vm_area_struct *area, unsigned long reqprot, unsigned long prot, int ret) {
    if (ret || !(prot & MAP_EXECUTABLE) || !is_confined()) return ret;
    struct file *file = BPF_CORE_READ(area, vm_file);
    if (!file || BPF_CORE_READ(area, vm_flags) & MAP_EXECUTABLE) return 0;
    return check_file(file, FILE_EXEC);
}

#define ENTRY_HOOK(hook)                                                                                                  \
    SEC("lsm/path_" #hook)                                                                                                \
    int BPF_PROG(entry_##hook, const struct path *directory, struct dentry *dentry) {                                     \
        return is_confined() ? check_in(directory, dentry, FILE_WRITE) : 0;                                               \
    }
#define OBJECT_HOOK(hook)                                                                                                 \
    SEC("lsm/path_" #hook)                                                                                                \
    int BPF_PROG(object_##hook, const struct path *path) {                                                                \
        return is_confined() ? check_path(path, FILE_WRITE) : 0;                                                          \
    }

ENTRY_HOOK(unlink)
ENTRY_HOOK(rmdir)
ENTRY_HOOK(mkdir)
ENTRY_HOOK(mknod)
ENTRY_HOOK(symlink)
OBJECT_HOOK(truncate)
OBJECT_HOOK(chmod)
OBJECT_HOOK(chown)

/* Another name for a file that a rule is about would be a file without rules: every rule on the old name counts. */
SEC("lsm/path_link")
int BPF_PROG(entry_link, struct dentry *old, const struct path *directory, struct dentry *dentry) {
    if (!is_confined()) return 0;
    /* A hard link stays within its mount, so the old name is below the same one. */
    int denied = check_in(directory, old, FILE_EVERY & ~FILE_EXEC);
    return denied ? denied : check_in(directory, dentry, FILE_WRITE);
}

SEC("lsm/path_rename")
int BPF_PROG(entry_rename, const struct path *from, struct dentry *old, const struct path *to, struct dentry *new) {
    if (!is_confined()) return 0;
    int denied = check_in(from, old, FILE_EVERY & ~FILE_EXEC);
    return denied ? denied : check_in(to, new, FILE_WRITE);
}
#endif
