"""The table: medians, ratios to LXD, and what is to be reached."""

import json
import statistics

# What is measured, in words; which figure; unit; what is to be reached as a part of LXD's.
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
    ("daemon idle", "daemon idle: RSS", "wall", "MB", 1 / 3),
    ("daemon running", "daemon with containers running: RSS", "wall", "MB", 1 / 5),
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

    def write(self, path):
        with open(path, "w") as file:
            json.dump(self.all, file, indent=1)


def print_table(samples, options):
    print(f"\nMedians of {options.rounds} rounds, in turn; {options.running} containers for memory; lxcfs' hook hidden.\n")
    head = ("what", "corten", "LXD 5.0.2", "crun", "corten/LXD", "to reach", "")
    lines = [head] + [line for line in (row(samples, *each) for each in ROWS) if line]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = [cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(line, widths))]
        print("  ".join(cells).rstrip())
    print("""
Not won by merit: this LXD shifts the ids of every file at a container's first start where the kernel refuses its probe for
idmapped mounts (part of its launch of the fat image, not of the other rows); its pool is dir, since it has no overlay.""")


def row(samples, what, words, figure, unit, target):
    ours, theirs, raw = (samples.median(what, who, figure) for who in ("corten", "lxd", "crun"))
    if ours is None:
        return None
    shown = lambda value: "-" if value is None else f"{value:.1f} {unit}" if value >= 1 else f"{value:.2f} {unit}"
    ratio = ours / theirs if theirs else None
    part = "-" if ratio is None else f"1/{1 / ratio:.1f}" if ratio else "0"
    verdict = "" if ratio is None or target is None else "reached" if ratio <= target else "NOT YET"
    return (words, shown(ours), shown(theirs), shown(raw), part, "-" if target is None else f"1/{round(1 / target)}", verdict)
