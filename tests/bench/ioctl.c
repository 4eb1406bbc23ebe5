/* The native side of the ioctl benchmark: for each count on standard input, the nanoseconds of that
 * many FIONREAD calls on a memory file.
 *
 * A second thread sleeps meanwhile: in a process with several threads, as Deno is one, the kernel
 * takes and drops a reference to the file in each call, and the comparison is of the same work. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static void *idle(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

int main(void)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);
	pthread_t thread;
	long count;

	if (fd < 0 || pthread_create(&thread, NULL, idle, NULL))
		return 1;
	while (scanf("%ld", &count) == 1) {
		struct timespec a, b;
		int value, bad = 0;

		clock_gettime(CLOCK_MONOTONIC, &a);
		for (long i = 0; i < count; i++)
			bad |= ioctl(fd, FIONREAD, &value);
		clock_gettime(CLOCK_MONOTONIC, &b);
		if (bad)
			return 1;
		printf("%" PRId64 "\n", (int64_t)(b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec);
		fflush(stdout);
	}
	return 0;
}
