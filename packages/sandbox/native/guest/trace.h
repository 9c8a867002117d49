/*
 * The guest kernel's own trace points (gVisor, pkg/sentry/seccheck/sinks/remote), for what nobody outside can count: a refused
 * clone. The sentry sends each message as one packet: u16 header size, u16 type, u32 dropped, then a protobuf.
 *
 * The keeper takes the connection and hands it to the supervisor, which reads it (tracing.c): the sentry sends before its program
 * goes on, so what a program did before its end is in the socket then, and stays there when the guest is killed.
 */
#ifndef PLASTRON_GUEST_TRACE_H
#define PLASTRON_GUEST_TRACE_H
#include <stddef.h>
#include <stdint.h>

/* Where runsc finds us (bundle.ts writes it into the session's configuration); not visible in the guest. */
#define TRACE "/state/trace"

/* The longest message that is passed on; longer ones are cut by it (arguments of a program). */
#define TRACE_MESSAGE 4096

/* Listens for the sentry. A descriptor, or -1. */
int trace_listen(void);
/* Takes the sentry's connection and answers its handshake. A descriptor, or -1. */
int trace_accept(int listener);
/* Whether a message tells of a call that ended with errno `wanted`. Bytes that are no such message are none. */
int trace_tells(const uint8_t *message, size_t len, uint64_t wanted);
#endif
