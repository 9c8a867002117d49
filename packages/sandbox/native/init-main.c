/*
 * init of a zygote's child: exec'd by the zygote as pid 1 of the child's pid namespace, so that it shares no memory with
 * the interpreter. Descriptors: 3 life line, 4 ipc to the program. Argument: the uid (in the zygote's user namespace).
 */
#include "init.h"
#include "life.h"
#include "lockdown.h"
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
    if (argc != 2) return 64;
    long uid = strtol(argv[1], NULL, 10);
    if (send(3, "i", 1, MSG_NOSIGNAL) != 1) return 70;
    serve_user_namespace(4, INSIDE_UID, uid, 1, 3);
    init_serve(3, uid, 0);
}
