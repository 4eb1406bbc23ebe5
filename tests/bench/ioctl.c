/* The native side of the ioctl benchmark: for each count on standard input, the nanoseconds of that
 * many FIONREAD calls on a memory file. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

int main(void)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);
	long count;

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
