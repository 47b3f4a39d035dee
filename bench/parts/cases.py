"""What is measured: each round lets every contender do the same, one after the other."""

import time


class Watch:
    """Wall and CPU milliseconds of one thing done, the CPU time taken once all has come to rest."""

    def __init__(self, samples, contender, what):
        self.samples, self.contender, self.what = samples, contender, what

    def of(self, action):
        """Measures an action, which returns the milliseconds of a command that it ran, or nothing for a request."""
        cpu = settled(self.contender)
        begun = time.perf_counter()
        told = action()
        wall = (time.perf_counter() - begun) * 1000 if told is None else told
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
