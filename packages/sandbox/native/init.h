/* Pid 1 of a sandbox: reaps, tells the program's end, and takes everything down when the life line closes. */
#ifndef PLASTRON_INIT_H
#define PLASTRON_INIT_H

/* Becomes `uid` without any capability, closes all descriptors but `life`, and serves until the end. `program` may be 0 (its
 * end is told by another process, the zygote). */
_Noreturn void init_serve(int life, long uid, int program);
#endif
