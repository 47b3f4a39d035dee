/* Calls that are made for a container's root, and what he may try with them. Each attempt prints one line: its name, and
 * "refused" with why, or "DONE". The stories in tests/interception.rs build this, put it into a container, and read the
 * lines. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static int tell(const char *what, int failed)
{
	printf("%s: %s%s\n", what, failed ? "refused " : "DONE", failed ? strerrorname_np(errno) : "");
	fflush(stdout);
	return failed;
}

/* A string that another thread changes all the time. */
static char flipping[4096];
static const char *flips[2];
static volatile int over;

static void *flip(void *none)
{
	for (int at = 0; !over; at ^= 1) {
		memcpy(flipping, flips[at], strlen(flips[at]) + 1);
		usleep(20);
	}
	return none;
}

/* mount(2) with one of its strings changing, many times: whatever is mounted must have no devices, and must not be what
 * is on the device that may not be opened, which holds a file "hidden". */
static void race(const char *which, const char *one, const char *other, const char *source, const char *target)
{
	pthread_t thread;
	int done = 0, bad = 0;
	char hidden[4096], text[1 << 16], shown[4096];

	snprintf(shown, sizeof shown, " - ext4 %s ", source);
	flips[0] = one;
	flips[1] = other;
	over = 0;
	memcpy(flipping, one, strlen(one) + 1);
	pthread_create(&thread, NULL, flip, NULL);
	for (int i = 0; i < 100; i++) {
		int what = which[0];
		if (mount(what == 's' ? flipping : source, what == 't' ? flipping : target, what == 'k' ? flipping : "ext4", 0, NULL))
			continue;
		done++;
		snprintf(hidden, sizeof hidden, "%s/hidden", target);
		bad += access(hidden, F_OK) == 0;
		int fd = open("/proc/self/mountinfo", O_RDONLY);
		for (ssize_t got; (got = read(fd, text, sizeof text - 1)) > 0;) {
			text[got] = 0;
			for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
				bad += strstr(line, shown) && !strstr(line, "nodev");
		}
		close(fd);
		umount2(target, MNT_DETACH);
		for (int at = 0; what == 't' && at < 2; at++)
			umount2(flips[at], MNT_DETACH);
	}
	over = 1;
	pthread_join(thread, NULL);
	printf("%s: %d done, %d bad\n", which, done, bad);
	fflush(stdout);
}

/* The source is a link that leads now here, now there. */
static void links(const char *one, const char *other, const char *target)
{
	int done = 0, bad = 0;
	char hidden[4096];
	pid_t child = fork();

	if (!child) {
		for (int at = 0;; at ^= 1) {
			unlink("/root/new");
			symlink(at ? one : other, "/root/new");
			rename("/root/new", "/root/link");
		}
	}
	usleep(10000);
	for (int i = 0; i < 100; i++) {
		if (mount("/root/link", target, "ext4", 0, NULL))
			continue;
		done++;
		snprintf(hidden, sizeof hidden, "%s/hidden", target);
		bad += access(hidden, F_OK) == 0;
		umount2(target, MNT_DETACH);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	printf("links: %d done, %d bad\n", done, bad);
	fflush(stdout);
}

/* Callers that are killed while they wait. */
static void die(const char *source, const char *target)
{
	for (int i = 0; i < 60; i++) {
		pid_t child = fork();
		if (!child) {
			mount(source, target, "ext4", 0, NULL);
			pause();
		}
		usleep(i * 150);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		umount2(target, MNT_DETACH);
	}
	tell("after", mount(source, target, "ext4", 0, NULL));
	umount2(target, MNT_DETACH);
}

static void nothing(int signal)
{
	(void)signal;
}

/* A timer that goes off all the time neither interrupts a mount nor has it done twice. */
static void signals(const char *source, const char *target)
{
	struct sigaction action = { .sa_handler = nothing };
	struct itimerval timer = { .it_interval = { .tv_usec = 500 }, .it_value = { .tv_usec = 500 } };
	int wrong = 0;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (int i = 0; i < 50; i++) {
		/* Before it is received a call may be interrupted, and nothing is done then. */
		while (mount(source, target, "ext4", 0, NULL)) {
			if (errno != EINTR) {
				wrong++;
				break;
			}
		}
		if (umount2(target, MNT_DETACH))
			wrong++;
		if (!umount2(target, MNT_DETACH))
			wrong++;
	}
	memset(&timer, 0, sizeof timer);
	setitimer(ITIMER_REAL, &timer, NULL);
	errno = EPROTO;
	tell("signals", wrong);
}

static void many(const char *source, const char *folder)
{
	int failed = 0, status;
	char path[4096];

	for (int i = 0; i < 60; i++) {
		snprintf(path, sizeof path, "%s/%d", folder, i);
		mkdir(path, 0755);
		if (!fork())
			_exit(mount(source, path, "ext4", 0, NULL) ? 1 : 0);
	}
	while (wait(&status) > 0)
		failed += status != 0;
	for (int i = 0; i < 60; i++) {
		snprintf(path, sizeof path, "%s/%d", folder, i);
		umount2(path, MNT_DETACH);
	}
	errno = EPROTO;
	tell("many", failed);
}

/* Ways to have more than is given. */
static void more(const char *source, const char *target)
{
	char disk[4096];

	snprintf(disk, sizeof disk, "%s/disk", target);
	tell("bad address", mount(source, target, "ext4", 0, (void *)1));
	tell("no source", mount(NULL, target, "ext4", 0, NULL));
	tell("no target", mount(source, NULL, "ext4", 0, NULL));
	tell("a file as target", mount(source, "/proc/self/exe", "ext4", 0, NULL));
	tell("journal by number", mount(source, target, "ext4", 0, "journal_dev=0x700"));
	tell("journal by path", mount(source, target, "ext4", 0, "journal_path=/dev/loop0"));
	if (tell("mount", mount(source, target, "ext4", MS_NOEXEC | MS_RDONLY, NULL)))
		return;
	tell("again upon itself", mount(source, target, "ext4", MS_NOEXEC | MS_RDONLY, NULL));
	tell("a node on it", open(disk, O_RDONLY) < 0);
	tell("devices again", mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC | MS_RDONLY, NULL));
	tell("programs again", mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_NODEV | MS_RDONLY, NULL));
	tell("writing again", mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_NODEV | MS_NOEXEC, NULL));
	tell("options again", mount(source, target, "ext4", MS_REMOUNT, "errors=panic"));
	tell("devices by a copy", mount(target, "/mnt", NULL, MS_BIND, NULL)
		|| mount(NULL, "/mnt", NULL, MS_REMOUNT | MS_BIND | MS_NOEXEC | MS_RDONLY, NULL));
	umount2("/mnt", MNT_DETACH);
	umount2(target, MNT_DETACH);
	pid_t child = fork();
	if (!child) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0)
			tell("in a user namespace of its own", mount(source, target, "ext4", 0, NULL));
		_exit(0);
	}
	waitpid(child, NULL, 0);
	child = fork();
	if (!child) {
		if (setuid(1000) == 0)
			tell("as a user", mount(source, target, "ext4", 0, NULL));
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static int bpf(int command, union bpf_attr *attributes)
{
	return syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static int load(uint32_t kind, const struct bpf_insn *program, uint32_t count)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof attributes);
	attributes.prog_type = kind;
	attributes.insns = (uintptr_t)program;
	attributes.insn_cnt = count;
	attributes.license = (uintptr_t)"GPL";
	strcpy(attributes.prog_name, "refuse");
	return bpf(BPF_PROG_LOAD, &attributes);
}

static int change(int command, int group, int program, uint32_t flags)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof attributes);
	attributes.target_fd = group;
	attributes.attach_bpf_fd = program;
	attributes.attach_type = BPF_CGROUP_DEVICE;
	attributes.attach_flags = flags;
	return bpf(command, &attributes);
}

struct thread {
	int group, program, done;
};

static void *elsewhere(void *of)
{
	struct thread *thread = of;

	/* A thread with descriptors of its own, where the number means something else. */
	unshare(CLONE_FILES);
	dup2(open("/dev/null", O_RDONLY), thread->program);
	thread->done = change(BPF_PROG_ATTACH, thread->group, thread->program, BPF_F_ALLOW_MULTI);
	return NULL;
}

static void programs(const char *groups)
{
	/* r0 = 0; exit: no device at all. */
	static const struct bpf_insn refuse[] = {
		{ .code = 0xb7, .dst_reg = 0, .imm = 0 },
		{ .code = 0x95 },
	};
	static const struct bpf_insn maps[] = {
		{ .code = 0x18, .dst_reg = 1, .src_reg = 1, .imm = 3 }, { 0 },
		{ .code = 0xb7, .dst_reg = 0, .imm = 0 },
		{ .code = 0x95 },
	};
	static const struct bpf_insn wrong[] = { { .code = 0x95 } };
	static struct bpf_insn long_one[5000];
	char path[4096];
	int status;

	for (int i = 0; i < 5000; i++)
		long_one[i] = i < 4999 ? refuse[0] : refuse[1];
	snprintf(path, sizeof path, "%s/own", groups);
	mkdir(path, 0755);
	int group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), top = open(groups, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int program = load(BPF_PROG_TYPE_CGROUP_DEVICE, refuse, 2);
	if (tell("load", program < 0))
		return;
	tell("closed at exec", !(fcntl(program, F_GETFD) & FD_CLOEXEC));
	tell("attach", change(BPF_PROG_ATTACH, group, program, BPF_F_ALLOW_MULTI));
	pid_t child = fork();
	if (!child) {
		snprintf(path, sizeof path, "%s/own/cgroup.procs", groups);
		int fd = open(path, O_WRONLY);
		if (fd < 0 || write(fd, "0", 1) != 1)
			_exit(2);
		_exit(open("/dev/null", O_RDONLY) < 0 && errno == EPERM ? 0 : 1);
	}
	waitpid(child, &status, 0);
	tell("it acts", status);
	tell("detach", change(BPF_PROG_DETACH, group, program, 0));
	tell("hostile detach", change(BPF_PROG_DETACH, group, program, 0) == 0 ? 0 : -1);
	tell("attach to all", change(BPF_PROG_ATTACH, top, program, BPF_F_ALLOW_MULTI));
	tell("they are all", open("/dev/null", O_RDONLY) >= 0 ? -1 : 0);
	tell("detach from all", change(BPF_PROG_DETACH, top, program, 0));
	tell("hostile folder", change(BPF_PROG_ATTACH, open("/", O_RDONLY), program, BPF_F_ALLOW_MULTI));
	tell("hostile no folder", change(BPF_PROG_ATTACH, 999, program, BPF_F_ALLOW_MULTI));
	tell("hostile no program", change(BPF_PROG_ATTACH, group, 0, BPF_F_ALLOW_MULTI));
	tell("hostile kind", load(BPF_PROG_TYPE_CGROUP_SKB, refuse, 2) < 0);
	tell("hostile tracing", load(BPF_PROG_TYPE_KPROBE, refuse, 2) < 0);
	tell("hostile maps", load(BPF_PROG_TYPE_CGROUP_DEVICE, maps, 4) < 0);
	tell("hostile verifier", load(BPF_PROG_TYPE_CGROUP_DEVICE, wrong, 1) < 0);
	tell("hostile length", load(BPF_PROG_TYPE_CGROUP_DEVICE, long_one, 5000) < 0);
	tell("hostile address", load(BPF_PROG_TYPE_CGROUP_DEVICE, (void *)8, 2) < 0);
	struct thread thread = { .group = group, .program = program };
	pthread_t other;
	pthread_create(&other, NULL, elsewhere, &thread);
	pthread_join(other, NULL);
	tell("hostile thread", thread.done);
	child = fork();
	if (!child) {
		if (setuid(1000) == 0)
			tell("hostile user", load(BPF_PROG_TYPE_CGROUP_DEVICE, refuse, 2) < 0);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void answer(int device, uint64_t unique, int error, const void *body, size_t size)
{
	char reply[4096];
	struct fuse_out_header header = { .len = sizeof header + size, .error = -error, .unique = unique };

	memcpy(reply, &header, sizeof header);
	memcpy(reply + sizeof header, body, size);
	if (write(device, reply, header.len) < 0)
		_exit(1);
}

/* A file system that has nothing but its root folder. */
static void serve(int device)
{
	static char request[1 << 20];

	while (read(device, request, sizeof request) > 0) {
		struct fuse_in_header *header = (void *)request;
		if (header->opcode == FUSE_INIT) {
			struct fuse_init_out init = { .major = 7, .minor = 31, .max_write = 4096 };
			answer(device, header->unique, 0, &init, sizeof init);
		} else if (header->opcode == FUSE_GETATTR) {
			struct fuse_attr_out root = { .attr = { .ino = 1, .mode = S_IFDIR | 0751, .nlink = 2 } };
			answer(device, header->unique, 0, &root, sizeof root);
		} else if (header->opcode != FUSE_FORGET) {
			answer(device, header->unique, ENOSYS, "", 0);
		}
	}
	_exit(0);
}

/* What mount.fuse does: the file system "served" is one that it can serve, "slow" takes its time, all others fail. */
static int mount_fuse(int argc, char **argv)
{
	char data[256], tell[8192];
	int device, log = open("/root/mount.fuse.log", O_WRONLY | O_CREAT | O_APPEND, 0644);

	snprintf(tell, sizeof tell, "%d %s %s %s\n", getuid(), argv[1], argv[2], argc > 4 ? argv[4] : "-");
	if (write(log, tell, strlen(tell)) < 0)
		return 1;
	if (!strncmp(argv[1], "slow#", 5))
		for (;;)
			pause();
	if (strncmp(argv[1], "served#", 7))
		return 1;
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(data, sizeof data, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (device < 0 || mount("served", argv[2], "fuse.served", MS_NOSUID | MS_NODEV, data))
		return 1;
	if (!fork()) {
		setsid();
		serve(device);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (strstr(argv[0], "mount.fuse"))
		return mount_fuse(argc, argv);

	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "race") && argc == 7)
		race(argv[2], argv[3], argv[4], argv[5], argv[6]);
	else if (!strcmp(what, "links") && argc == 5)
		links(argv[2], argv[3], argv[4]);
	else if (!strcmp(what, "die") && argc == 4)
		die(argv[2], argv[3]);
	else if (!strcmp(what, "signals") && argc == 4)
		signals(argv[2], argv[3]);
	else if (!strcmp(what, "many") && argc == 4)
		many(argv[2], argv[3]);
	else if (!strcmp(what, "more") && argc == 4)
		more(argv[2], argv[3]);
	else if (!strcmp(what, "programs") && argc == 3)
		programs(argv[2]);
	else
		return 2;
	return 0;
}
