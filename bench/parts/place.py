"""Where the contenders run: private namespaces, loop disks, control groups; all of it goes when the benchmark ends."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

MARK = "CORTEN_BENCH_INSIDE"


def enter_private_namespaces(project):
    """Runs this program again in network and mount namespaces of its own."""
    if MARK not in os.environ:
        script = os.path.join(project, "scripts", "in-private-namespaces")
        os.environ[MARK] = "1"
        os.execv(script, [script, sys.executable, *sys.argv])


def run(*argv, **options):
    """Runs a command that must succeed; what it printed."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit status {done.returncode}: {done.stderr}{done.stdout}")
    return done.stdout


def hierarchies():
    """Mount point, kind and options of every control group hierarchy."""
    found = {}
    with open("/proc/self/mountinfo") as table:
        for line in table:
            before, after = line.rstrip("\n").split(" - ")
            kind, _, options = after.split(" ", 2)
            if kind in ("cgroup", "cgroup2"):
                words = [word for word in options.split(",") if word not in ("rw", "ro", "relatime")]
                # What lies below another mount of the same place is listed too; the topmost comes last.
                found[before.split(" ")[4]] = (kind, ",".join(words) if kind == "cgroup" else "")
    return [(mount, *what) for mount, what in found.items()]


class Groups:
    """One group of the same name in every hierarchy: what its processes, dead ones included, took of the processors."""

    def __init__(self, name):
        self.paths = [(os.path.join(mount, name), kind, options) for mount, kind, options in hierarchies()]
        for path, kind, options in self.paths:
            os.mkdir(path)
            if "cpuset" in options.split(","):
                for knob in ("cpuset.cpus", "cpuset.mems"):
                    with open(os.path.join(os.path.dirname(path), knob)) as above, open(os.path.join(path, knob), "w") as own:
                        own.write(above.read())
                with open(os.path.join(path, "cgroup.clone_children"), "w") as own:
                    own.write("1")
        accounts = [path for path, kind, options in self.paths if "cpuacct" in options.split(",")]
        pure = [path for path, kind, _ in self.paths if kind == "cgroup2"]
        if accounts:
            self.usage_file, self.word = os.path.join(accounts[0], "cpuacct.usage"), None
        else:
            self.usage_file, self.word = os.path.join(pure[0], "cpu.stat"), "usage_usec"

    def enter(self):
        """Moves the calling process in."""
        for path, kind, _ in self.paths:
            # With version 2 alone, a group with controllers below it may hold no process itself.
            inner = os.path.join(path, "init")
            target = inner if os.path.isdir(inner) else path
            with open(os.path.join(target, "cgroup.procs"), "w") as procs:
                procs.write(str(os.getpid()))

    def cpu_ms(self):
        """Milliseconds of processor time so far."""
        with open(self.usage_file) as file:
            text = file.read()
        if self.word is None:
            return int(text) / 1e6
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(self.word)) / 1e3

    def processes(self):
        """All that live in the groups."""
        found = set()
        for path, _, _ in self.paths:
            for folder, _, files in os.walk(path):
                if "cgroup.procs" in files:
                    try:
                        with open(os.path.join(folder, "cgroup.procs")) as procs:
                            found.update(int(line) for line in procs)
                    except OSError:
                        pass
        return found - {os.getpid()}

    def remove(self):
        for _ in range(100):
            for pid in self.processes():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not self.processes():
                break
            time.sleep(0.05)
        for path, _, _ in self.paths:
            for folder, _, _ in os.walk(path, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError as error:
                    print(f"left behind: {folder}: {error}", file=sys.stderr)


class Disk:
    """A journalled ext4 in a file, mounted for one contender."""

    def __init__(self, folder, name):
        self.file = os.path.join(folder, name + ".ext4")
        self.path = os.path.join(folder, name)
        with open(self.file, "wb") as file:
            file.truncate(12 << 30)
        run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.file)
        os.mkdir(self.path)
        run("mount", "-o", "loop", self.file, self.path)
        os.chmod(self.path, 0o755)

    def remove(self):
        run("umount", "-l", self.path)
        os.rmdir(self.path)
        os.unlink(self.file)


class Scratch:
    """All that is made for one run, and taken away after it."""

    def __init__(self, work):
        self.folder = tempfile.mkdtemp(prefix="run-", dir=work)
        os.chmod(self.folder, 0o755)
        self.ends = []

    def __enter__(self):
        return self

    def at_end(self, action):
        self.ends.append(action)

    def disk(self, name):
        disk = Disk(self.folder, name)
        self.at_end(disk.remove)
        return disk.path

    def groups(self, name):
        groups = Groups(f"corten-bench-{os.getpid()}-{name}")
        self.at_end(groups.remove)
        return groups

    def __exit__(self, *_):
        for action in reversed(self.ends):
            try:
                action()
            except Exception as error:  # what is left is named, and the rest still goes
                print(f"cleaning up: {error}", file=sys.stderr)
        shutil.rmtree(self.folder, ignore_errors=True)
