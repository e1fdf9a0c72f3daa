/*
 * `single-step <pid> <instructions>`: lets a running thread execute that many instructions one at a time (ptrace, Linux x64) and prints how
 * often each address was executed, a line `<address> <count>` each, in hexadecimal and decimal. The thread goes on afterwards. An
 * instruction that repeats itself (rep movs) counts once.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

/* Addresses are found by hashing; a process that decides executes some ten thousand different ones. */
#define PLACES (1u << 20)
static uint64_t addresses[PLACES];
static uint64_t counts[PLACES];

static void count(uint64_t address)
{
	uint64_t place = (address * 0x9e3779b97f4a7c15ull) >> 44;
	while (addresses[place] != 0 && addresses[place] != address)
		place = (place + 1) & (PLACES - 1);
	addresses[place] = address;
	counts[place]++;
}

static int fail(const char *what)
{
	fprintf(stderr, "single-step: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: single-step <pid> <instructions>\n");
		return 2;
	}
	const pid_t pid = atoi(argv[1]);
	const long wanted = atol(argv[2]);
	int status = 0;
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) != 0)
		return fail("attach");
	if (waitpid(pid, &status, __WALL) < 0)
		return fail("wait");
	uint64_t last = 0;
	long signal = 0;
	for (long done = 0; done < wanted;) {
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, (void *)signal) != 0)
			return fail("step");
		if (waitpid(pid, &status, __WALL) < 0 || !WIFSTOPPED(status)) {
			fprintf(stderr, "single-step: the process ended\n");
			return 1;
		}
		/* Signals of the process are handed on; what stops it for us is not. */
		signal = WSTOPSIG(status) == SIGTRAP || WSTOPSIG(status) == SIGSTOP ? 0 : WSTOPSIG(status);
		const uint64_t address =
			ptrace(PTRACE_PEEKUSER, pid, (void *)offsetof(struct user_regs_struct, rip), NULL);
		if (address == last)
			continue;
		last = address;
		count(address);
		done++;
	}
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL) != 0)
		return fail("detach");
	for (uint64_t place = 0; place < PLACES; place++)
		if (addresses[place] != 0)
			printf("%lx %lu\n", (unsigned long)addresses[place], (unsigned long)counts[place]);
	return 0;
}
