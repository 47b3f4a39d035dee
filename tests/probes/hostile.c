/* What a hostile root tries. Each attempt prints one line: its name, and "refused" with why, or "DONE" when the kernel let
 * it happen. The stories in tests/hostile.rs build this, put it into a container, and read the lines. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void tell(const char *what, int failed)
{
	printf("%s: %s%s\n", what, failed ? "refused " : "DONE", failed ? strerrorname_np(errno) : "");
	fflush(stdout);
}

/* Opening for writing is enough: that a write would be refused is not relied on. */
static void writes(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	tell(path, fd < 0);
	if (fd >= 0)
		close(fd);
}

static void reads(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int got = fd < 0 ? -1 : (int)read(fd, &byte, 1);
	/* Nothing to be read shows nothing. */
	if (got == 0)
		errno = ENODATA;
	tell(path, got <= 0);
	if (fd >= 0)
		close(fd);
}

static void devices(void)
{
	const struct { const char *name; mode_t kind; int major, minor; } nodes[] = {
		{ "mknod-disk", S_IFBLK, 8, 0 },  { "mknod-loop", S_IFBLK, 7, 0 }, { "mknod-virtio", S_IFBLK, 254, 0 },
		{ "mknod-mem", S_IFCHR, 1, 1 },   { "mknod-kmsg", S_IFCHR, 1, 11 }, { "mknod-loop-control", S_IFCHR, 10, 237 },
	};
	for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) {
		unlink("/root/node");
		int failed = mknod("/root/node", nodes[i].kind | 0666, makedev(nodes[i].major, nodes[i].minor));
		if (!failed) {
			/* A node is nothing as long as it cannot be opened. */
			int fd = open("/root/node", O_RDONLY | O_NONBLOCK);
			failed = fd < 0;
			if (fd >= 0)
				close(fd);
		}
		tell(nodes[i].name, failed);
	}
	DIR *dev = opendir("/dev");
	for (struct dirent *entry; dev && (entry = readdir(dev));) {
		char path[300];
		struct stat found;
		snprintf(path, sizeof path, "/dev/%s", entry->d_name);
		if (!stat(path, &found) && S_ISBLK(found.st_mode))
			tell(path, open(path, O_RDONLY) < 0);
	}
	reads("/dev/mem");
	reads("/dev/kmsg");
	reads("/proc/kcore");
	reads("/proc/kmsg");
}

static void kernel_files(void)
{
	const char *files[] = {
		"/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/sysrq",
		"/proc/sys/kernel/printk", "/proc/sys/kernel/panic", "/proc/sys/kernel/kptr_restrict",
		"/proc/sys/kernel/unprivileged_bpf_disabled", "/proc/sys/vm/drop_caches", "/proc/sys/vm/overcommit_memory",
		"/proc/sys/vm/panic_on_oom", "/proc/sys/fs/suid_dumpable", "/proc/sys/fs/file-max",
		"/proc/sys/fs/protected_symlinks", "/proc/sys/fs/binfmt_misc/register", "/proc/sys/net/core/bpf_jit_enable",
		"/sys/kernel/uevent_helper", "/sys/power/state", "/sys/kernel/mm/transparent_hugepage/enabled",
		"/sys/kernel/debug/sched/debug", "/sys/kernel/tracing/tracing_on", "/sys/fs/pstore",
		"/sys/devices/system/cpu/cpu1/online", "/proc/irq/default_smp_affinity", "/proc/acpi/wakeup", "/proc/mtrr",
	};
	for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
		writes(files[i]);
}

static void groups(void)
{
	DIR *top = opendir("/sys/fs/cgroup");
	for (struct dirent *entry; top && (entry = readdir(top));) {
		const char *files[] = { "release_agent", "memory.limit_in_bytes", "memory.max", "pids.max", "cpu.shares",
					"devices.allow", "cpuset.cpus", "../release_agent" };
		char path[600];
		if (entry->d_name[0] == '.')
			continue;
		for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
			snprintf(path, sizeof path, "/sys/fs/cgroup/%s/%s", entry->d_name, files[i]);
			if (access(path, F_OK) == 0)
				writes(path);
		}
	}
	/* Again, from a hierarchy of one's own. */
	const char *controllers[] = { "memory", "pids", "devices", "freezer", "rdma" };
	mkdir("/root/hierarchy", 0700);
	for (unsigned i = 0; i < sizeof controllers / sizeof *controllers; i++) {
		if (mount("none", "/root/hierarchy", "cgroup", 0, controllers[i]))
			continue;
		char path[100];
		const char *files[] = { "release_agent", "memory.limit_in_bytes", "pids.max", "devices.allow" };
		for (unsigned j = 0; j < sizeof files / sizeof *files; j++) {
			snprintf(path, sizeof path, "/root/hierarchy/%s", files[j]);
			if (access(path, F_OK) == 0)
				writes(path);
		}
		umount("/root/hierarchy");
	}
}

static void calls(const char *where)
{
	char name[100];
	const struct { const char *name; long number; } denied[] = {
		{ "kexec_load", SYS_kexec_load },       { "open_by_handle_at", SYS_open_by_handle_at },
		{ "init_module", SYS_init_module },     { "finit_module", SYS_finit_module },
		{ "delete_module", SYS_delete_module },
	};
	for (unsigned i = 0; i < sizeof denied / sizeof *denied; i++) {
		snprintf(name, sizeof name, "%s %s", where, denied[i].name);
		/* Without the filter this would be EPERM or EFAULT. */
		int failed = syscall(denied[i].number, -1, 0, 0, 0) == -1 && errno == ENOSYS;
		tell(name, failed);
	}
	snprintf(name, sizeof name, "%s umount by force", where);
	tell(name, umount2("/nowhere", MNT_FORCE) == -1 && errno == EACCES);
#ifdef __x86_64__
	/* The same numbers by the 32-bit entry; a kernel without one ends the child. */
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		const struct { const char *name; int number; } compat[] = {
			{ "kexec_load", 283 }, { "init_module", 128 }, { "delete_module", 129 }, { "open_by_handle_at", 342 } };
		for (unsigned i = 0; i < sizeof compat / sizeof *compat; i++) {
			long result;
			__asm__ volatile("int $0x80" : "=a"(result) : "a"(compat[i].number), "b"(-1), "c"(0), "d"(0), "S"(0) : "memory", "r8", "r9", "r10", "r11");
			errno = (int)-result;
			snprintf(name, sizeof name, "%s 32-bit %s", where, compat[i].name);
			tell(name, errno == ENOSYS);
		}
		_exit(0);
	}
	waitpid(child, NULL, 0);
#endif
}

static void unshared_calls(void)
{
	calls("plain");
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) == 0)
			calls("unshared");
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void mounts(void)
{
	mkdir("/root/at", 0700);
	tell("mount a disk", mount("/dev/loop0", "/root/at", "ext4", 0, "") != 0);
	tell("remount the read-only share", mount("none", "/mnt/ro", NULL, MS_REMOUNT | MS_BIND, NULL) != 0);
	tell("write to the read-only share", creat("/mnt/ro/written", 0600) < 0);
	tell("own a file of the share", chown("/mnt/rw/theirs", 0, 0) != 0);
	writes("/mnt/rw/theirs");
	reads("/mnt/rw/secret");
	/* A set-user-id program of the host's root: does it make us that? */
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		execl("/mnt/rw/setuid", "setuid", "whoami", (char *)NULL);
		tell("set-user-id of the share", 1);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	/* A mount below a share must not show on the host; the story looks. */
	mount("none", "/mnt/rw/below", "tmpfs", 0, "");
	tell("make mounts shared", mount("none", "/mnt/rw", NULL, MS_SHARED, NULL) != 0 ? (errno = EPERM, 1) : (errno = 0, 1));
}

static void others(void)
{
	/* Everything that has a number here, but us and our parent. */
	for (pid_t pid = 2; pid < 70000; pid++)
		if (pid != getpid() && pid != getppid())
			kill(pid, SIGKILL);
	errno = ESRCH;
	tell("naming the parent outside", getppid() == 0);
	DIR *proc = opendir("/proc");
	for (struct dirent *entry; proc && (entry = readdir(proc));) {
		char path[300], line[400] = "";
		if (!isdigit(entry->d_name[0]))
			continue;
		snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
		int fd = open(path, O_RDONLY);
		if (fd >= 0 && read(fd, line, sizeof line - 1) > 0 && strstr(line, "lxc monitor"))
			printf("the monitor is seen: DONE\n");
		if (fd >= 0)
			close(fd);
	}
}

#define KEY_SESSION -3
#define KEY_USER -4
static void keys(const char *verb)
{
	if (!strcmp(verb, "add")) {
		long user = syscall(SYS_add_key, "user", "corten-secret", "secret", 6, KEY_USER);
		long session = syscall(SYS_add_key, "user", "corten-session-secret", "secret", 6, KEY_SESSION);
		printf("%ld %ld\n", user, session);
		return;
	}
	tell("the key of the host's user", syscall(SYS_keyctl, 10 /* search */, KEY_USER, "user", "corten-secret", 0) < 0);
	tell("the key of the host's session", syscall(SYS_keyctl, 10, KEY_SESSION, "user", "corten-session-secret", 0) < 0);
	char text[65536] = "";
	int fd = open("/proc/keys", O_RDONLY);
	if (fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strstr(text, "corten"))
		printf("keys are listed: DONE\n");
	for (int i = 0; i < 2; i++)
		if (verb[0]) {
			char value[16];
			long key = strtol(verb, (char **)&verb, 10);
			while (*verb == ',')
				verb++;
			tell("a key by its number", syscall(SYS_keyctl, 11 /* read */, key, value, sizeof value) < 0);
		}
}

/* Whether this is a process that enters, by its name; `last` becomes the number of any other. */
static int enters(pid_t pid, pid_t *last)
{
	char path[100], name[64] = "";
	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	int is_monitor = read(fd, name, sizeof name - 1) > 0 && !strncmp(name, "lxd-monitor", 11);
	close(fd);
	if (!is_monitor && name[0])
		*last = pid;
	return is_monitor;
}

/* Watches for processes that enter the container, and tries to see more of them than their name. */
static void watch(int seconds)
{
	int seen = 0, had = 0;
	time_t end = time(NULL) + seconds;
	printf("watching\n");
	fflush(stdout);
	pid_t last = getpid();
	while (time(NULL) < end) {
		for (pid_t pid = last + 1; pid < last + 40; pid++) {
			char path[100], name[64];
			if (!enters(pid, &last))
				continue;
			seen++;
			const char *parts[] = { "exe", "cwd", "root", "fd/0", "fd/3", "fd/4", "fd/5", "fd/6", "mem", "maps", "environ" };
			for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
				char target[300] = "";
				snprintf(path, sizeof path, "/proc/%d/%s", pid, parts[i]);
				int got = open(path, O_RDONLY);
				if (got < 0)
					continue;
				/* It may have become its program between the two looks. */
				snprintf(path, sizeof path, "/proc/%d/comm", pid);
				int again = open(path, O_RDONLY);
				memset(name, 0, sizeof name);
				if (again >= 0 && read(again, name, sizeof name - 1) > 0 && !strncmp(name, "lxd-monitor", 11)) {
					char link[300];
					snprintf(link, sizeof link, "/proc/%d/%s", pid, parts[i]);
					if (readlink(link, target, sizeof target - 1) < 0)
						strcpy(target, "?");
					char byte;
					/* mem and maps open, and show nothing to who may not trace. */
					if (target[0] != '?' || read(got, &byte, 1) > 0) {
						had++;
						printf("%s of a process that enters: DONE %s\n", parts[i], target);
					}
				}
				if (again >= 0)
					close(again);
				close(got);
			}
			if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
				snprintf(path, sizeof path, "/proc/%d/comm", pid);
				int again = open(path, O_RDONLY);
				memset(name, 0, sizeof name);
				if (again >= 0 && read(again, name, sizeof name - 1) > 0 && !strncmp(name, "lxd-monitor", 11)) {
					had++;
					printf("tracing a process that enters: DONE\n");
				}
				if (again >= 0)
					close(again);
			}
		}
	}
	printf("seen %d, had %d\n", seen, had);
}

/* Without a user namespace root may look into whatever it sees: then there must be nothing of the host's in it. */
static void watch_as_root(int seconds)
{
	int seen = 0, had = 0;
	struct stat own, found;
	time_t end = time(NULL) + seconds;
	stat("/", &own);
	printf("watching\n");
	fflush(stdout);
	pid_t last = getpid();
	while (time(NULL) < end) {
		for (pid_t pid = last + 1; pid < last + 40; pid++) {
			char path[100];
			if (!enters(pid, &last))
				continue;
			seen++;
			const char *places[] = { "root", "cwd" };
			for (int i = 0; i < 2; i++) {
				snprintf(path, sizeof path, "/proc/%d/%s", pid, places[i]);
				if (stat(path, &found) == 0 && (found.st_dev != own.st_dev || (i == 0 && found.st_ino != own.st_ino))) {
					had++;
					printf("the %s of a process that enters: DONE\n", places[i]);
				}
			}
			for (int number = 0; number < 40; number++) {
				snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, number);
				if (stat(path, &found) < 0 || S_ISSOCK(found.st_mode) || S_ISFIFO(found.st_mode) || S_ISCHR(found.st_mode))
					continue;
				/* What it has opened by then as its program is the container's. */
				if (found.st_dev != own.st_dev) {
					char target[300] = "";
					if (readlink(path, target, sizeof target - 1) < 0)
						continue;
					had++;
					printf("descriptor %d of a process that enters: DONE %s\n", number, target);
				}
			}
			snprintf(path, sizeof path, "/proc/%d/exe", pid);
			int fd = open(path, O_WRONLY);
			if (fd >= 0) {
				had++;
				printf("writing to a process that enters: DONE\n");
				close(fd);
			}
		}
	}
	printf("seen %d, had %d\n", seen, had);
}

/* An init that listens to nobody and fills its console. */
static void init(void)
{
	for (int i = 1; i < 65; i++)
		signal(i, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	fcntl(1, F_SETFL, O_NONBLOCK);
	for (;;) {
		char noise[4096];
		memset(noise, 'x', sizeof noise);
		if (write(1, noise, sizeof noise) < 0)
			usleep(1000);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (getpid() == 1)
		init();
	else if (!strcmp(what, "whoami"))
		printf("set-user-id of the share: %s\n", geteuid() == 0 && getuid() != 0 ? "DONE" : "refused");
	else if (!strcmp(what, "devices"))
		devices();
	else if (!strcmp(what, "kernel"))
		kernel_files();
	else if (!strcmp(what, "groups"))
		groups();
	else if (!strcmp(what, "calls"))
		unshared_calls();
	else if (!strcmp(what, "mounts"))
		mounts();
	else if (!strcmp(what, "others"))
		others();
	else if (!strcmp(what, "keys"))
		keys(argc > 2 ? argv[2] : "");
	else if (!strcmp(what, "watch"))
		watch(atoi(argv[2]));
	else if (!strcmp(what, "watch-as-root"))
		watch_as_root(atoi(argv[2]));
	else
		return 2;
	return 0;
}
