import { constants } from "node:os";
import koffi, { type LibraryHandle } from "koffi";

/** What libbpf and libc are asked. Both are on the machine: nothing of them is built or shipped. */
export interface Native {
  openObject(path: string): bigint;
  loadObject(object: bigint): number;
  closeObject(object: bigint): void;
  findMap(object: bigint, name: string): bigint;
  mapFd(map: bigint): number;
  reuseFd(map: bigint, fd: number): number;
  setMaxEntries(map: bigint, entries: number): number;
  initialValue(map: bigint, size: Uint8Array): bigint;
  findProgram(object: bigint, name: string): bigint;
  programFd(program: bigint): number;
  attach(program: bigint): bigint;
  attachCgroup(program: bigint, cgroup: number): bigint;
  /** Runs a program once, by hand; `options` is a struct bpf_test_run_opts. */
  testRun(program: number, options: Uint8Array): number;
  destroyLink(link: bigint): number;
  update(map: number, key: Uint8Array, value: Uint8Array, flags: bigint): number;
  lookup(map: number, key: Uint8Array, value: Uint8Array): number;
  remove(map: number, key: Uint8Array): number;
  mmap(at: bigint, size: number, protection: number, flags: number, fd: number, offset: number): bigint;
  munmap(at: bigint, size: number): number;
  eventfd(value: number, flags: number): number;
  epollCreate(flags: number): number;
  epollCtl(epoll: number, operation: number, fd: number, event: Uint8Array): number;
  epollWait(epoll: number, events: Uint8Array, most: number, timeout: number): number;
  read(fd: number, into: Uint8Array, size: number): number;
  write(fd: number, from: Uint8Array, size: number): number;
  /** Of the calling thread alone, where `which` and `who` are 0. */
  setpriority(which: number, who: number, nice: number): number;
  view(at: bigint, size: number): ArrayBuffer;
  /** The last error of one of the above, in words. */
  why(): string;
}

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

let loaded: Native | undefined;

/** @throws Error that names the library which is not there */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  const bpf = open("libbpf.so.1", "apt-get install libbpf1");
  const libc = open("libc.so.6", "the sensor needs the GNU C library");
  const quiet = bpf.func("void *libbpf_set_print(void *print)");
  quiet(null); // what it would say on stderr is told by name here
  const pointer = (of: LibraryHandle, text: string) => {
    const call = of.func(text);
    return (...args: unknown[]): bigint => addressOf(call(...args));
  };
  return {
    openObject: pointer(bpf, "void *bpf_object__open(const char *path)"),
    loadObject: bpf.func("int bpf_object__load(void *object)"),
    closeObject: bpf.func("void bpf_object__close(void *object)"),
    findMap: pointer(bpf, "void *bpf_object__find_map_by_name(void *object, const char *name)"),
    mapFd: bpf.func("int bpf_map__fd(void *map)"),
    reuseFd: bpf.func("int bpf_map__reuse_fd(void *map, int fd)"),
    setMaxEntries: bpf.func("int bpf_map__set_max_entries(void *map, uint32_t entries)"),
    initialValue: pointer(bpf, "void *bpf_map__initial_value(void *map, void *size)"),
    findProgram: pointer(bpf, "void *bpf_object__find_program_by_name(void *object, const char *name)"),
    programFd: bpf.func("int bpf_program__fd(void *program)"),
    attach: pointer(bpf, "void *bpf_program__attach(void *program)"),
    attachCgroup: pointer(bpf, "void *bpf_program__attach_cgroup(void *program, int cgroup)"),
    testRun: bpf.func("int bpf_prog_test_run_opts(int program, void *options)"),
    destroyLink: bpf.func("int bpf_link__destroy(void *link)"),
    update: bpf.func("int bpf_map_update_elem(int map, const void *key, const void *value, uint64_t flags)"),
    lookup: bpf.func("int bpf_map_lookup_elem(int map, const void *key, void *value)"),
    remove: bpf.func("int bpf_map_delete_elem(int map, const void *key)"),
    mmap: pointer(libc, "void *mmap(void *at, size_t size, int protection, int flags, int fd, long offset)"),
    munmap: libc.func("int munmap(void *at, size_t size)"),
    eventfd: libc.func("int eventfd(unsigned int value, int flags)"),
    epollCreate: libc.func("int epoll_create1(int flags)"),
    epollCtl: libc.func("int epoll_ctl(int epoll, int operation, int fd, void *event)"),
    epollWait: libc.func("int epoll_wait(int epoll, void *events, int most, int timeout)"),
    read: libc.func("intptr_t read(int fd, void *into, size_t size)"),
    write: libc.func("intptr_t write(int fd, const void *from, size_t size)"),
    setpriority: libc.func("int setpriority(int which, int who, int nice)"),
    view: (at, size) => koffi.view(at, size),
    why: () => errorText(koffi.errno()),
  };
}

/** Memory that is shared with the kernel. @throws Error */
export function map(fd: number, size: number, access: "read" | "write", offset = 0): { buffer: ArrayBuffer; unmap(): void } {
  const calls = native();
  const at = calls.mmap(0n, size, access === "write" ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, offset);
  if (at === MAP_FAILED) throw new Error(`memory of the sensor could not be mapped: ${calls.why()}`);
  return { buffer: calls.view(at, size), unmap: () => void calls.munmap(at, size) };
}

function open(name: string, remedy: string): LibraryHandle {
  try {
    return koffi.load(name);
  } catch (error) {
    throw new Error(`${name} cannot be loaded (${remedy}): ${(error as Error).message}`);
  }
}

function addressOf(value: unknown): bigint {
  return typeof value === "bigint" ? value : value === null ? 0n : koffi.address(value);
}

/** EPERM (1). */
export function errorText(number: number): string {
  const name = Object.entries(constants.errno).find(([, value]) => value === Math.abs(number))?.[0] ?? "error";
  return `${name} (${Math.abs(number)})`;
}
