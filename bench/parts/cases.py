"""What is measured: each round lets every contender do the same, one after the other."""

import time


class Watch:
    """Wall and CPU milliseconds of a block, the CPU time taken once all has come to rest."""

    def __init__(self, samples, contender, what):
        self.samples, self.contender, self.what = samples, contender, what

    def __enter__(self):
        self.cpu = settled(self.contender)
        self.wall = time.perf_counter()

    def __exit__(self, kind, *_):
        wall = (time.perf_counter() - self.wall) * 1000
        if kind is None:
            cpu = settled(self.contender) - self.cpu
            self.samples.add(self.what, self.contender.name, wall, cpu)


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
        CASES[name](options, contenders, raw, samples)


def life(options, contenders, raw, samples):
    """Start, exec and forced stop of one busybox container."""
    for each in contenders:
        each.create("c", "busybox")
        # The first start shifts ids where they are shifted file by file: no part of the comparison.
        each.state("c", "start")
        each.state("c", "stop", force=True)
    for _ in range(options.rounds):
        for each in contenders:
            with Watch(samples, each, "start"):
                each.state("c", "start")
            with Watch(samples, each, "exec REST"):
                each.execute("c", ["true"])
            with Watch(samples, each, "exec CLI"):
                each.client("exec", "c", "--", "true")
            with Watch(samples, each, "stop"):
                each.state("c", "stop", force=True)
        if raw:
            with Watch(samples, raw, "start"):
                raw.crun("run", "--detach", "c")
            with Watch(samples, raw, "exec CLI"):
                raw.crun("exec", "c", "true")
            with Watch(samples, raw, "stop"):
                raw.crun("delete", "--force", "c")
    for each in contenders:
        each.delete("c")


def launch(options, contenders, raw, samples):
    """`lxc launch` of the fat image; the first one, which may keep something of the image, is shown apart."""
    for each in contenders:
        with Watch(samples, each, "first launch fat"):
            each.client("launch", "fat", "warm")
        each.state("warm", "stop", force=True)
        each.delete("warm")
    for turn in range(max(3, options.rounds // 2)):
        for each in contenders:
            with Watch(samples, each, "launch fat"):
                each.client("launch", "fat", "fat")
            each.state("fat", "stop", force=True)
            with Watch(samples, each, "start fat again"):
                each.state("fat", "start")
            each.state("fat", "stop", force=True)
            each.delete("fat")


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


CASES = {"memory": memory, "life": life, "launch": launch}
