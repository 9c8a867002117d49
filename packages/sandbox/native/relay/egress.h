/*
 * The way out of one sandbox, for a spec that has the record `egress DIRECTORY TOKEN UID`.
 *
 * The sandbox's network namespace has nothing but loopback, and keeps nothing but loopback. In it every address is made local
 * (network.c), and every TCP connection that is not to 127.0.0.0/8 or ::1, and every datagram to port 53, is given to two
 * sockets of ours (steer.c), whatever address it was meant for. They belong to the *relay* (serve.c): a process of its own uid,
 * without any right (confine.c), that can only pass bytes on to DIRECTORY/relay.sock, where the egress process judges them. All
 * other datagrams find nobody. So there is no way round: without the relay, or without the egress process, nothing leaves.
 *
 * Relay → egress, on one unix connection for each TCP connection or DNS question: u8 version 1 · u8 protocol (6, 17) · u16 port ·
 * u8 address[16] (IPv4 mapped) · char token[64], then the bytes; a DNS question and its answer come behind a u16 length. All
 * little endian. Egress → relay: the bytes. A stream that the egress process shuts down has ended; one that it closes is reset.
 */
#ifndef PLASTRON_EGRESS_H
#define PLASTRON_EGRESS_H
#include "../wire.h"

#define EGRESS_TOKEN 64
#define EGRESS_HEADER (20 + EGRESS_TOKEN)
#define EGRESS_FLOWS 256 /* connections at once; more wait in the listener's queue */
#define EGRESS_QUESTIONS 64

/* Starts the relay in the network namespace of `init` (a pidfd), to end with this process. `relay` becomes readable when it dies.
 * 0 also where the spec asks for none; -1 with errno, and `what` names the step. */
int egress_start(const struct spec *spec, int init, int *relay, const char **what);
/* Does it all once in a network namespace of its own, for the doctor: prints the step that failed. An exit code. */
int egress_probe(void);

struct relay {
    int alive; /* its end of file is the end of the sandbox */
    int tcp, dns;
    char token[EGRESS_TOKEN];
};

/* In the sandbox's network namespace. 0, or -1 with errno. */
int network_open(void);
int relay_sockets(struct relay *relay);
int steer(const struct relay *relay);
/* Never to be undone: chroot, uid, capabilities, seccomp. */
int relay_confine(const char *directory, long uid);
_Noreturn void relay_serve(const struct relay *relay);
#endif
