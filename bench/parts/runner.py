"""A process in a contender's groups that runs command lines there, and says how long each took.

Its own share is one posix_spawn(3), which does not copy this process: what is measured is the command.
"""

import json
import os
import subprocess
import sys
import time


class Runner:
    """The end that asks. `inside` is run in the new process first, to bring it where the commands are to run."""

    def __init__(self, environment, inside, output):
        self.environment, self.output = environment, output
        self.process = subprocess.Popen(
            [sys.executable, "-S", os.path.abspath(__file__), output], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=environment, preexec_fn=inside)

    def run(self, *argv, cwd=None):
        """Runs a command that must succeed; its milliseconds."""
        self.process.stdin.write(json.dumps([argv, cwd]) + "\n")
        self.process.stdin.flush()
        status, milliseconds = json.loads(self.process.stdout.readline())
        if status != 0:
            with open(self.output) as log:
                raise RuntimeError(f"{' '.join(argv)}: exit status {status}: {log.read()}")
        return milliseconds

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def serve(output):
    """The end that runs: a line for each command, a line for each answer."""
    for line in sys.stdin:
        argv, cwd = json.loads(line)
        if cwd:
            os.chdir(cwd)
        # A container may keep these open, so that they must not be pipes that are read to their end.
        # And crun gives them to the container's root (1.8.1 does so with devices, too): the host's /dev/null would be no
        # longer the host's.
        files = [(os.POSIX_SPAWN_OPEN, 0, output + ".in", os.O_RDONLY | os.O_CREAT, 0o600),
                 (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                 (os.POSIX_SPAWN_DUP2, 1, 2)]
        begun = time.perf_counter()
        pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=files)
        _, status = os.waitpid(pid, 0)
        milliseconds = (time.perf_counter() - begun) * 1000
        print(json.dumps([os.waitstatus_to_exitcode(status), milliseconds]), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
