"""Process 1 of a contender's namespaces: starts and kills the daemon when it is told to, and reaps what nobody else does."""

import json
import os
import signal
import sys


def serve():
    """A line of JSON for each daemon that is to be started, `[arguments, environment, log]`; its number is the answer."""
    # The kernel reaps monitors whose parents have ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        argv, environment, log = json.loads(line)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        files = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o600),
                 (os.POSIX_SPAWN_DUP2, 1, 2)]
        pid = os.posix_spawn(argv[0], argv, environment, file_actions=files, setsigdef=[signal.SIGCHLD])
        print(pid, flush=True)


if __name__ == "__main__":
    serve()
