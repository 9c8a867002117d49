/* Pid 1 of a sandbox: reaps, tells the program's end, and takes everything down when the life line closes. */
#ifndef PLASTRON_INIT_H
#define PLASTRON_INIT_H

/* Becomes `uid` without any capability and with no way to be traced. */
void init_give_up(int life, long uid);
void init_close_all_but(int life);
/* Does both, and serves until the end; `program` is the process whose end is told. */
_Noreturn void init_serve(int life, long uid, int program);
#endif
