"""The table: medians, ratios to LXD, and what is to be reached."""

import json
import statistics

# What is measured, in words; which figure; unit; what is to be reached as a part of LXD's. More than 1: as many times as much.
# A text is a figure that is not to be passed, whatever LXD needs.
ROWS = [
    ("start", "start of an unprivileged busybox container, REST: wall", "wall", "ms", 1 / 8),
    ("start", "the same: CPU of all that runs", "cpu", "ms", 1 / 12),
    ("exec REST", "exec of true, REST: wall", "wall", "ms", 1 / 5),
    ("exec REST", "the same: CPU", "cpu", "ms", None),
    ("exec CLI", "exec of true, the whole lxc exec: wall", "wall", "ms", 1 / 6),
    ("exec CLI", "the same: CPU", "cpu", "ms", None),
    ("stop", "stop --force: wall", "wall", "ms", 1 / 8),
    ("stop", "the same: CPU", "cpu", "ms", None),
    ("launch fat", "lxc launch of the fat image (overlay, LXD dir): wall", "wall", "ms", 1 / 60),
    ("launch fat", "the same: CPU", "cpu", "ms", None),
    ("first launch fat", "the first launch of the fat image: wall", "wall", "ms", None),
    ("start fat again", "start of it, ids shifted already: wall", "wall", "ms", None),
    ("launch fat dir", "lxc launch of the fat image on dir, both: wall", "wall", "ms", 1 / 2),
    ("launch fat dir", "the same: CPU", "cpu", "ms", None),
    ("create", "creation of the busybox container: wall", "wall", "ms", None),
    ("create", "the same: CPU", "cpu", "ms", None),
    ("delete", "delete of the busybox container: wall", "wall", "ms", 1 / 2.5),
    ("delete", "the same: CPU", "cpu", "ms", None),
    ("crowd", "50 launches by 8 clients (lxc): rate", "wall", "/s", 10),
    ("crowd", "the same: CPU of each", "cpu", "ms", None),
    ("ready fresh", "start until ready, fresh: wall", "wall", "ms", 1 / 6),
    ("ready fresh", "the same: CPU", "cpu", "ms", None),
    ("ready running", "after SIGKILL, with 50 running: wall", "wall", "ms", 1 / 12),
    ("ready running", "the same: CPU", "cpu", "ms", None),
    ("GET /1.0", "GET /1.0 on 8 connections: rate", "wall", "/s", 5),
    ("GET /1.0", "the same: CPU of each", "cpu", "ms", None),
    ("lxc --version", "lxc --version: wall", "wall", "ms", 1 / 4),
    ("lxc --version", "the same: CPU", "cpu", "ms", None),
    ("lxc query", "lxc query /1.0: wall", "wall", "ms", 1 / 3),
    ("lxc query", "the same: CPU", "cpu", "ms", None),
    ("recursion=1", "instances?recursion=1, stopped: wall", "wall", "ms", None),
    ("recursion=1", "the same: CPU", "cpu", "ms", 1 / 20),
    ("recursion=2", "instances?recursion=2, stopped: wall", "wall", "ms", None),
    ("recursion=2", "the same: CPU", "cpu", "ms", 1 / 40),
    ("lxc list", "lxc list of them: wall", "wall", "ms", 1 / 30),
    ("lxc list", "the same: CPU", "cpu", "ms", None),
    ("list running", "the same list with running ones among them: wall", "wall", "ms", None),
    ("list running", "the same: CPU", "cpu", "ms", 1 / 40),
    ("state", "state of one that runs: wall", "wall", "ms", None),
    ("state", "the same: CPU", "cpu", "ms", "1 ms"),
    ("idle threads", "threads for 500 commands waited for", "wall", "", "8"),
    ("daemon idle", "daemon idle: RSS", "wall", "MB", 1 / 3),
    ("daemon running", "daemon with containers running: RSS", "wall", "MB", "22 MB"),
    ("monitor RSS", "monitor: RSS", "wall", "MB", 1 / 10),
    ("monitor PSS", "monitor: PSS", "wall", "MB", 1 / 20),
]


class Samples:
    """Every sample by what was done and who did it."""

    def __init__(self):
        self.all = {}

    def add(self, what, who, wall, cpu):
        self.all.setdefault(what, {}).setdefault(who, []).append({"wall": wall, "cpu": cpu})

    def median(self, what, who, figure):
        found = self.all.get(what, {}).get(who)
        return statistics.median(sample[figure] for sample in found) if found else None

    def quiet(self, what, who, figure, most=False):
        """The least disturbed tenth: neighbours only ever add, or take from a rate."""
        found = sorted((sample[figure] for sample in self.all.get(what, {}).get(who, [])), reverse=most)
        return found[len(found) // 10] if found else None

    def write(self, path):
        with open(path, "w") as file:
            json.dump(self.all, file, indent=1)


HEAD = ("what", "corten", "LXD 5.0.2", "crun", "corten/LXD", "quiet", "to reach", "")


def print_table(samples, options):
    """Medians, the quietest tenth in brackets; the ratio of each; the verdict is of the medians."""
    print(f"\nMedians (quietest tenth) of {options.rounds} rounds, in turn; {options.running} containers for memory, "
          f"{options.instances} for lists; lxcfs' hook hidden.\n")
    lines = [HEAD] + [line for line in (row(samples, *each) for each in ROWS) if line]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    for line in lines:
        cells = [cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(zip(line, widths))]
        print("  ".join(cells).rstrip())
    print("""
Not won by merit: this LXD shifts the ids of every file at a container's first start where the kernel refuses its probe for
idmapped mounts (part of its launch of the fat image, not of the other rows); its pool is dir, since it has no overlay.""")


def row(samples, what, words, figure, unit, target):
    rate = unit == "/s"
    middle = {who: samples.median(what, who, figure) for who in ("corten", "lxd", "crun")}
    quiet = {who: samples.quiet(what, who, figure, rate) for who in middle}
    if middle["corten"] is None:
        return None

    def cell(who):
        if middle[who] is None:
            return "-"
        digits = 1 if middle[who] >= 1 else 2
        return f"{middle[who]:.{digits}f} ({quiet[who]:.{digits}f}) {unit}"

    def part(values):
        if not values["lxd"] or not values["corten"]:
            return "-"
        return f"{values['corten'] / values['lxd']:.1f}x" if rate else f"1/{values['lxd'] / values['corten']:.1f}"

    verdict = ""
    if isinstance(target, str):
        within = middle["corten"] <= float(target.split()[0])
        return (words, cell("corten"), cell("lxd"), cell("crun"), part(middle), part(quiet), target, "reached" if within else "NOT YET")
    if target is not None and middle["lxd"]:
        reached = middle["corten"] >= middle["lxd"] * target if rate else middle["corten"] <= middle["lxd"] * target
        verdict = "reached" if reached else "NOT YET"
    wanted = "-" if target is None else f"{target}x" if rate else f"1/{round(1 / target, 1):g}"
    return (words, cell("corten"), cell("lxd"), cell("crun"), part(middle), part(quiet), wanted, verdict)
