/* One connection or one DNS question that passes through the relay. */
#ifndef PLASTRON_RELAY_FLOW_H
#define PLASTRON_RELAY_FLOW_H
#include "egress.h"
#include <netinet/in.h>
#include <poll.h>

#define FLOW_BUFFER 32768
#define QUESTION_MAX 1232 /* of one datagram; RFC 9715 */
#define QUESTION_MS 10000

/* Bytes on their way in one direction. `from` has ended (`ended`), and `to` was told so (`told`). */
struct pipe_half {
    uint32_t start, end;
    int ended, told;
    uint8_t data[FLOW_BUFFER];
};

struct flow {
    struct flow *next;
    int inside, outside; /* the program's connection (-1 for a question); the egress process */
    int dead;
    struct pipe_half out, in;
    /* A question's asker, the address that it asked, and when it is given up (monotonic, ms). */
    struct sockaddr_in6 asker;
    struct in6_addr asked;
    int64_t deadline;
};

/* Takes one waiting connection or question. NULL when there is none, or when it cannot be served (it is then closed). */
struct flow *flow_accept(const struct relay *relay);
struct flow *flow_question(const struct relay *relay, int64_t now);
/* What to wait for; an fd of -1 where nothing is wanted now, so that a hung-up peer does not make us spin. */
void flow_wants(const struct flow *flow, struct pollfd wants[2]);
/* Moves what can be moved. Sets `dead` at the end. */
void flow_step(const struct relay *relay, struct flow *flow, short inside, short outside);
void flow_free(struct flow *flow);
#endif
