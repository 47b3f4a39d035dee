"""The contenders: a daemon with its client, each in namespaces of its own; and crun, which has no daemon."""

import ctypes
import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

from . import spawner
from .place import hierarchies, run
from .runner import Runner

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWCGROUP, CLONE_NEWNS = 0x02000000, 0x00020000
MS_PRIVATE, MS_REC, MNT_DETACH = 1 << 18, 1 << 14, 2

# Mounts /sys of the new network namespace, and in it the hierarchies as the new cgroup namespace shows them: their roots are the
# contender's own groups, below which its containers' groups then are. The spawner becomes process 1 of a PID namespace: liblxc
# asks for that one's groups.
PREPARE = """
set -e
mount -t sysfs sysfs /sys
"""


def mount_script():
    lines = [PREPARE]
    if all(mount != "/sys/fs/cgroup" for mount, _, _ in hierarchies()):
        lines.append("mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup")
    for mount, kind, options in hierarchies():
        named = f"-o {options}" if options else ""
        lines.append(f"mkdir -p {mount}; mount -t {kind} {named} cgroup {mount}")
    lines.append("mount --make-rshared /; ip link set lo up; exec \"$@\"")
    return "\n".join(lines)


class Unix(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path):
        super().__init__("lxd")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


class Daemon:
    """A daemon of LXD's API."""

    def __init__(self, scratch, name, lxd, lxc, driver, environment):
        self.scratch, self.name, self.lxd, self.lxc, self.driver = scratch, name, lxd, lxc, driver
        self.disk = scratch.disk(name)
        self.groups = scratch.groups(name)
        self.dir = os.path.join(self.disk, "lxd")
        os.mkdir(self.dir, 0o711)
        self.environment = dict(os.environ, LXD_DIR=self.dir, LXD_CONF=os.path.join(self.disk, "client"), **environment)
        self.process = None
        self.runners = []
        self.api = None

    def begin(self, pictures):
        """Starts the daemon; gives it a pool and the images."""

        def inside():
            self.groups.enter()
            if LIBC.unshare(CLONE_NEWCGROUP) != 0:
                raise OSError(ctypes.get_errno(), "unshare")

        argv = ["unshare", "--net", "--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc"]
        program = [sys.executable, "-S", spawner.__file__]
        self.process = subprocess.Popen(
            [*argv, "sh", "-c", mount_script(), "sh", *program], preexec_fn=inside, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        self.scratch.at_end(self.end)
        self.runner = self.another_runner()
        self.start(self.dir)
        self.api = Unix(os.path.join(self.dir, "unix.socket"))
        self.ask("POST", "/1.0/storage-pools", {"name": "default", "driver": self.driver})
        self.ask("POST", "/1.0/storage-pools", {"name": "plain", "driver": "dir"})
        root = {"root": {"type": "disk", "path": "/", "pool": "default"}}
        self.ask("PUT", "/1.0/profiles/default", {"devices": root})
        for alias in ("busybox", "fat"):
            self.client("image", "import", *pictures[alias], "--alias", alias)

    def another_runner(self):
        runner = Runner(self.environment, self.groups.enter, os.path.join(self.scratch.folder, f"{self.name}-{len(self.runners)}.out"))
        self.runners.append(runner)
        return runner

    def start(self, folder):
        """Starts the daemon on an `LXD_DIR`; milliseconds until it says that it is ready."""
        begun = time.perf_counter()
        environment = dict(self.environment, LXD_DIR=folder)
        log = os.path.join(self.scratch.folder, self.name + ".log")
        self.process.stdin.write(json.dumps([[self.lxd, "--group", "root"], environment, log]) + "\n")
        self.process.stdin.flush()
        if not self.process.stdout.readline():
            raise RuntimeError(f"{self.name} was not started")
        path = os.path.join(folder, "unix.socket")
        while time.perf_counter() - begun < 120:
            try:
                asked = Unix(path)
                asked.request("GET", "/internal/ready")
                if asked.getresponse().status == 200:
                    return (time.perf_counter() - begun) * 1000
            except OSError:
                pass
            time.sleep(0.002)
        raise RuntimeError(f"{self.name} does not become ready")

    def halt(self, signal_number):
        """Ends the daemon, which leaves its containers alone, and waits until it is gone."""
        watched = os.pidfd_open(self.pid())
        signal.pidfd_send_signal(watched, signal_number)
        select.select([watched], [], [], 60)
        os.close(watched)

    def clean(self):
        """Removes every container that is left."""
        self.api.close()
        for name in self.ask("GET", "/1.0/instances"):
            self.client("delete", "--force", name.rsplit("/", 1)[1])

    def end(self):
        self.clean()
        self.halt(signal.SIGTERM)
        for runner in self.runners:
            runner.end()
        self.process.stdin.close()
        self.process.wait()

    def ask(self, method, path, body=None, api=None):
        """One request; waits for the operation that it starts."""
        api = api or self.api
        text = None if body is None else json.dumps(body)
        api.request(method, path, text, {"Content-Type": "application/json"})
        reply = json.loads(api.getresponse().read())
        if reply["type"] == "error":
            raise RuntimeError(f"{self.name}: {method} {path}: {reply['error']}")
        if reply["type"] != "async":
            return reply["metadata"]
        operation = self.ask("GET", reply["operation"] + "/wait", api=api)
        if operation["status_code"] != 200:
            raise RuntimeError(f"{self.name}: {method} {path}: {operation['err']}{self.logged(path)}")
        return operation

    def logged(self, path):
        """The end of the container's log, for an error."""
        try:
            with open(os.path.join(self.dir, "logs", path.split("/")[3], "lxc.log")) as log:
                return "\n" + "".join(log.readlines()[-12:])
        except OSError:
            return ""

    def client(self, *words):
        """Runs the command line client among what is measured; its milliseconds."""
        return self.runner.run(self.lxc, *words)

    def connection(self):
        """Another connection to the daemon, for :meth:`ask`."""
        return Unix(os.path.join(self.dir, "unix.socket"))

    def create(self, name, image):
        self.ask("POST", "/1.0/instances", {"name": name, "source": {"type": "image", "alias": image}})

    def create_empty(self, name, api):
        """A container without a file in it, which is made quickly."""
        self.ask("POST", "/1.0/instances", {"name": name, "source": {"type": "none"}}, api)

    def state(self, name, action, force=False):
        self.ask("PUT", f"/1.0/instances/{name}/state", {"action": action, "force": force, "timeout": -1})

    def execute(self, name, command):
        body = {"command": command, "environment": {}, "interactive": False, "wait-for-websocket": False}
        self.ask("POST", f"/1.0/instances/{name}/exec", body)

    def delete(self, name):
        self.ask("DELETE", f"/1.0/instances/{name}")

    def pid(self):
        """The daemon itself."""
        wanted = b"\0".join([self.lxd.encode(), b"--group", b"root", b""])
        return next(pid for pid in self.groups.processes() if command_line(pid) == wanted)

    def monitors(self):
        """The processes that stand for one container each."""
        return [pid for pid in self.groups.processes() if command_line(pid).startswith(b"[lxc monitor]")]


def command_line(pid):
    """Of a process; empty when it is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def corten(scratch, programs):
    """Ours."""
    lxd, lxc = os.path.join(programs, "lxd"), os.path.join(programs, "lxc")
    return Daemon(scratch, "corten", lxd, lxc, "overlay", {})


def lxd(scratch):
    """Debian's. lxcfs' hook (a sleep of half a second at each stop) is hidden by another folder of templates."""
    hidden = os.path.join(scratch.folder, "no-templates")
    os.mkdir(hidden)
    if os.path.isdir("/usr/share/lxc/config"):
        shutil.copytree("/usr/share/lxc/config", hidden, dirs_exist_ok=True, ignore=shutil.ignore_patterns("common.conf.d"))
    os.mkdir(os.path.join(hidden, "common.conf.d"))
    return Daemon(scratch, "lxd", shutil.which("lxd"), shutil.which("lxc"), "dir", {"LXD_LXC_TEMPLATE_CONFIG": hidden})


class Crun:
    """A container of the same root by crun alone: what a start costs without anybody who remembers."""

    name = "crun"

    def __init__(self, scratch, pictures):
        self.disk = scratch.disk("crun")
        self.groups = scratch.groups("crun")
        self.bundle = os.path.join(self.disk, "bundle")
        os.mkdir(self.bundle)
        shutil.copytree(pictures["root"], os.path.join(self.bundle, "rootfs"), symlinks=True)
        run("chown", "-R", "1000000:1000000", os.path.join(self.bundle, "rootfs"))
        run("crun", "spec", cwd=self.bundle)
        self.configure(os.path.join(self.bundle, "config.json"))
        both = {kind: mount for mount, kind, _ in hierarchies()}
        self.hidden = both["cgroup2"].encode() if len(both) == 2 else None
        self.root = os.path.join(self.disk, "state")
        self.runner = Runner(dict(os.environ), self.inside, os.path.join(scratch.folder, "crun.out"))
        scratch.at_end(self.runner.end)
        scratch.at_end(lambda: self.crun("delete", "--force", "c") if os.path.isdir(os.path.join(self.root, "c")) else None)

    def configure(self, path):
        with open(path) as file:
            spec = json.load(file)
        spec["process"].update(terminal=False, args=["/sbin/init"])
        spec["root"]["readonly"] = False
        linux = spec["linux"]
        linux["namespaces"] = [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount", "cgroup", "user")]
        linux["uidMappings"] = linux["gidMappings"] = [{"containerID": 0, "hostID": 1000000, "size": 65536}]
        linux["cgroupsPath"] = "/" + os.path.basename(self.groups.paths[0][0]) + "/c"
        with open(path, "w") as file:
            json.dump(spec, file)

    def inside(self):
        self.groups.enter()
        # crun refuses a host that has both versions as soon as version 2 has any controller: it is not shown the latter.
        if self.hidden:
            LIBC.unshare(CLONE_NEWNS)
            LIBC.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
            LIBC.umount2(self.hidden, MNT_DETACH)

    def crun(self, *words):
        """Runs crun among what is measured; its milliseconds."""
        return self.runner.run("crun", "--root", self.root, "--cgroup-manager", "cgroupfs", *words, cwd=self.bundle)
