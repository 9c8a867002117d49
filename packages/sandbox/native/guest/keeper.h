/*
 * The keeper: what stands in the place of the program's own process when the program gets a kernel of its own (gVisor). It
 * enters a user namespace in which runsc is root and on the host nobody, starts runsc there, and speaks with the starter
 * inside the guest (native/enter/) over a socket that only this sandbox can see.
 *
 * Records: `guest` FIRST_UID (the host uid that is the guest's uid 0; 65536 from there are the sandbox's own), `bundle` DIR
 * (an OCI bundle in the sandbox's root), and `exec`, `arg`, `env` of runsc.
 */
#ifndef PLASTRON_KEEPER_H
#define PLASTRON_KEEPER_H
#include "../wire.h"

/* Ids that a guest's user namespace holds: everything from root to nobody. */
#define GUEST_IDS 65536

/* Where the starter in the guest finds us, outside and inside. */
#define DOOR "/door/socket"

/* Becomes the keeper. `theirs` are the sandbox's ends of stdin, stdout, stderr, control and life; `ipc` leads to the init that maps the user namespace. */
/* (In init:) maps the keeper's user namespace, from init: the guest's ids 0…65535 are `outside` and those above it. */
void serve_guest_namespace(int ipc, long outside, int life);
_Noreturn void keep_guest(const struct spec *spec, const int theirs[5], int ipc, int life);
#endif
