"""The images: busybox (1 MB) and fat (Debian's minbase as a squashfs), both with busybox as init; made once and kept."""

import os
import shutil

from .place import run

INIT = "::respawn:/bin/sleep 100000\n::ctrlaltdel:/bin/poweroff\n"
METADATA = "architecture: x86_64\ncreation_date: 1700000000\nproperties:\n  description: {0}\n  os: {0}\n"


def make(project, work):
    """Files by name: `busybox` (unified), `fat` (metadata and squashfs), and `root`, the busybox root as a folder."""
    busybox, tree = os.path.join(work, "busybox.tar.gz"), os.path.join(work, "busybox")
    if not os.path.exists(busybox):
        shutil.rmtree(tree, ignore_errors=True)
        os.mkdir(tree)
        run(os.path.join(project, "scripts", "make-busybox-image"), busybox + ".full")
        run("tar", "-C", tree, "-xzf", busybox + ".full")
        os.unlink(busybox + ".full")
        # Init and nothing else: what the guest itself does is no part of the figures.
        with open(os.path.join(tree, "rootfs/etc/inittab"), "w") as file:
            file.write(INIT)
        run("tar", "-C", tree, "--numeric-owner", "-czf", busybox + ".new", "metadata.yaml", "rootfs")
        os.rename(busybox + ".new", busybox)
    metadata, squashfs = os.path.join(work, "fat.tar.xz"), os.path.join(work, "fat.squashfs")
    if not os.path.exists(squashfs):
        make_fat(work, metadata, squashfs)
    return {"busybox": [busybox], "fat": [metadata, squashfs], "root": os.path.join(tree, "rootfs")}


def make_fat(work, metadata, squashfs):
    print("Making the fat image with mmdebstrap (once)", flush=True)
    root = os.path.join(work, "fat-root")
    shutil.rmtree(root, ignore_errors=True)
    run("mmdebstrap", "--variant=minbase", "--include=busybox-static", "bookworm", root)
    for link in ("sbin/init", "sbin/poweroff"):
        path = os.path.join(root, "usr", link)
        if os.path.lexists(path):
            os.unlink(path)
        os.symlink("/bin/busybox", path)
    with open(os.path.join(root, "etc/inittab"), "w") as file:
        file.write(INIT)
    run("mksquashfs", root, squashfs + ".new", "-noappend", "-quiet", "-no-progress")
    shutil.rmtree(root)
    with open(os.path.join(work, "metadata.yaml"), "w") as file:
        file.write(METADATA.format("Fat"))
    run("tar", "-C", work, "-cJf", metadata, "metadata.yaml")
    os.rename(squashfs + ".new", squashfs)
