"""What is measured: each round lets every contender do the same, one after the other."""

import json
import os
import signal
import time
import traceback

from . import load


class Watch:
    """Wall and CPU milliseconds of one thing done, the CPU time taken once all has come to rest."""

    def __init__(self, samples, contender, what):
        self.samples, self.contender, self.what = samples, contender, what

    def of(self, action):
        """Measures an action; one that returns a number has measured its milliseconds itself."""
        cpu = settled(self.contender)
        begun = time.perf_counter()
        told = action()
        wall = (time.perf_counter() - begun) * 1000
        wall = told if isinstance(told, float) else wall
        self.samples.add(self.what, self.contender.name, wall, settled(self.contender) - cpu)


def settled(contender):
    """The CPU time when it has stopped growing: what goes on after the answer counts too."""
    before = contender.groups.cpu_ms()
    for _ in range(40):
        time.sleep(0.05)
        now = contender.groups.cpu_ms()
        if now - before < 0.3:
            return now
        before = now
    return before


def run(options, contenders, raw, samples):
    only = set(filter(None, options.only.split(",")))
    wanted = [name for name in CASES if not only or name in only]
    for name in wanted:
        print(f"Measuring: {name}", flush=True)
        try:
            CASES[name](options, contenders, raw, samples)
        except Exception:  # the figures of the others count all the same
            traceback.print_exc()
            for each in contenders:
                each.clean()


def life(options, contenders, raw, samples):
    """Start, exec and forced stop of one busybox container."""
    for each in contenders:
        each.create("c", "busybox")
        # The first start shifts ids where they are shifted file by file: no part of the comparison.
        each.state("c", "start")
        each.state("c", "stop", force=True)
    for _ in range(options.rounds):
        for each in contenders:
            Watch(samples, each, "start").of(lambda: each.state("c", "start"))
            Watch(samples, each, "exec REST").of(lambda: each.execute("c", ["true"]))
            Watch(samples, each, "exec CLI").of(lambda: each.client("exec", "c", "--", "true"))
            Watch(samples, each, "stop").of(lambda: each.state("c", "stop", force=True))
        if raw:
            Watch(samples, raw, "start").of(lambda: raw.crun("run", "--detach", "c"))
            Watch(samples, raw, "exec CLI").of(lambda: raw.crun("exec", "c", "true"))
            Watch(samples, raw, "stop").of(lambda: raw.crun("delete", "--force", "c"))
    for each in contenders:
        each.delete("c")


def launch(options, contenders, raw, samples):
    """`lxc launch` of the fat image; the first one, which may keep something of the image, is shown apart."""
    for each in contenders:
        Watch(samples, each, "first launch fat").of(lambda: each.client("launch", "fat", "warm"))
        each.state("warm", "stop", force=True)
        each.delete("warm")
    for turn in range(max(3, options.rounds // 2)):
        for each in contenders:
            Watch(samples, each, "launch fat").of(lambda: each.client("launch", "fat", "fat"))
            each.state("fat", "stop", force=True)
            Watch(samples, each, "start fat again").of(lambda: each.state("fat", "start"))
            each.state("fat", "stop", force=True)
            each.delete("fat")


def delete(options, contenders, raw, samples):
    """Creation and removal of the busybox container, never started."""
    for _ in range(options.rounds):
        for each in contenders:
            Watch(samples, each, "create").of(lambda: each.create("d", "busybox"))
            Watch(samples, each, "delete").of(lambda: each.delete("d"))


def dir_pool(options, contenders, raw, samples):
    """`lxc launch` of the fat image on a pool of the kind dir, which both have. Its first one is no part of it."""
    for turn in range(1 + max(3, options.rounds // 3)):
        for each in contenders:
            # Ours has this pool beside its default; LXD's default is one.
            pool = ["--storage", "plain"] if each.driver != "dir" else []
            if turn == 0:
                each.client("launch", "fat", "plain", *pool)
            else:
                Watch(samples, each, "launch fat dir").of(lambda: each.client("launch", "fat", "plain", *pool))
            each.state("plain", "stop", force=True)
            each.delete("plain")


def crowd(options, contenders, raw, samples):
    """50 launches of busybox by 8 clients at once."""
    for _ in range(2):
        for each in contenders:
            while len(each.runners) < 8:
                each.another_runner()
            before = settled(each)
            seconds = load.side_by_side(
                each.runners, 50, lambda runner, number: runner.run(each.lxc, "launch", "busybox", f"crowd{number}"))
            samples.add("crowd", each.name, 50 / seconds, (settled(each) - before) / 50)
            for number in range(50):
                each.state(f"crowd{number}", "stop", force=True)
                each.delete(f"crowd{number}")


def ready(options, contenders, raw, samples):
    """From the daemon's start until it says that it is ready: on an empty folder, and with containers that run on."""
    turns = max(3, options.rounds // 3)
    for each in contenders:
        each.halt(signal.SIGTERM)
    for turn in range(turns):
        for each in contenders:
            folder = os.path.join(each.disk, f"fresh{turn}")
            os.mkdir(folder, 0o711)
            Watch(samples, each, "ready fresh").of(lambda: each.start(folder))
            each.halt(signal.SIGTERM)
    for each in contenders:
        each.start(each.dir)
        each.api.close()
        for number in range(50):
            each.create(f"r{number}", "busybox")
            each.state(f"r{number}", "start")
    for _ in range(turns):
        for each in contenders:
            each.halt(signal.SIGKILL)
            Watch(samples, each, "ready running").of(lambda: each.start(each.dir))
            each.api.close()
    for each in contenders:
        running = [one for one in each.ask("GET", "/1.0/instances?recursion=1") if one["status"] == "Running"]
        if len(running) != 50:
            print(f"{each.name}: only {len(running)} of 50 containers have been taken up again")
        for number in range(50):
            each.state(f"r{number}", "stop", force=True)
            each.delete(f"r{number}")


def requests(options, contenders, raw, samples):
    """GET /1.0 on 8 connections that are kept, and the client's shortest commands."""
    for _ in range(3):
        for each in contenders:
            before = each.groups.cpu_ms()
            rate, done = load.keep_alive(os.path.join(each.dir, "unix.socket"), "/1.0", 8, 3)
            samples.add("GET /1.0", each.name, rate, (each.groups.cpu_ms() - before) / done)
    for _ in range(2 * options.rounds):
        for each in contenders:
            Watch(samples, each, "lxc --version").of(lambda: each.client("--version"))
            Watch(samples, each, "lxc query").of(lambda: each.client("query", "/1.0"))


def lists(options, contenders, raw, samples):
    """Lists of many stopped containers, then with some that run; the state of one that runs."""
    for each in contenders:
        connections = [each.connection() for _ in range(4)]
        load.side_by_side(connections, options.instances, lambda api, number: each.create_empty(f"s{number:04}", api))
    # LXD takes seconds for each of them.
    turns = 3 if options.instances > 500 else max(3, options.rounds // 3)
    for _ in range(turns):
        for each in contenders:
            for depth in (1, 2):
                Watch(samples, each, f"recursion={depth}").of(lambda: each.ask("GET", f"/1.0/instances?recursion={depth}"))
            Watch(samples, each, "lxc list").of(lambda: each.client("list"))
    for each in contenders:
        for number in range(options.listed_running):
            each.create(f"l{number}", "busybox")
            each.state(f"l{number}", "start")
    for _ in range(turns):
        for each in contenders:
            Watch(samples, each, "list running").of(lambda: each.ask("GET", "/1.0/instances?recursion=2"))
    for each in contenders:
        for number in range(options.listed_running):
            each.state(f"l{number}", "stop", force=True)
            each.delete(f"l{number}")
        each.create("live", "busybox")
        each.state("live", "start")
        for _ in range(options.rounds):
            Watch(samples, each, "state").of(lambda: each.ask("GET", "/1.0/instances/live/state"))
        each.state("live", "stop", force=True)
        each.delete("live")
        connections = [each.connection() for _ in range(4)]
        load.side_by_side(
            connections, options.instances, lambda api, number: each.ask("DELETE", f"/1.0/instances/s{number:04}", api=api))


def idle(options, contenders, raw, samples):
    """Threads that 500 commands hold whose end is waited for. Ours only: LXD holds a process of 30 MB for each."""
    each = contenders[0]
    each.create("idle", "busybox")
    each.state("idle", "start")
    before = threads_of(each.pid())
    body = {"command": ["sleep", "1000"], "environment": {}, "interactive": False, "wait-for-websocket": False}
    for _ in range(500):
        each.api.request("POST", "/1.0/instances/idle/exec", json.dumps(body), {"Content-Type": "application/json"})
        each.api.getresponse().read()
    waiting = []
    for path in each.ask("GET", "/1.0/operations").get("running", []):
        one = each.connection()
        one.request("GET", path + "/wait")
        waiting.append(one)
    time.sleep(1)
    samples.add("idle threads", each.name, threads_of(each.pid()) - before, 0)
    if len(waiting) < 500:
        print(f"only {len(waiting)} of 500 commands run")
    each.state("idle", "stop", force=True)
    each.delete("idle")


def threads_of(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def memory(options, contenders, raw, samples):
    """Resident memory of the daemon, idle and with containers, and of the monitors."""
    for each in contenders:
        time.sleep(2)
        samples.add("daemon idle", each.name, memory_of(each.pid(), "Rss"), 0)
        for number in range(options.running):
            each.create(f"m{number}", "busybox")
            each.state(f"m{number}", "start")
        time.sleep(2)
        samples.add("daemon running", each.name, memory_of(each.pid(), "Rss"), 0)
        for pid in each.monitors():
            samples.add("monitor RSS", each.name, memory_of(pid, "Rss"), 0)
            samples.add("monitor PSS", each.name, memory_of(pid, "Pss"), 0)
        for number in range(options.running):
            each.state(f"m{number}", "stop", force=True)
            each.delete(f"m{number}")


def memory_of(pid, word):
    """Megabytes."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(word + ":")) / 1024


CASES = {
    "memory": memory, "life": life, "launch": launch, "delete": delete, "dir": dir_pool, "requests": requests, "crowd": crowd,
    "idle": idle, "ready": ready, "lists": lists,
}
