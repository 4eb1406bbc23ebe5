/* The native side of the drains in the lab: reads the dirty pages of a container that another process
 * has set up, with the same requests, and finds the same runs.
 *
 *   drain PID FD [TABLE]   of a container, or of a page table of iommufd, whose bits are looked at and
 *                      left there; then one command a line on standard input:
 *   window IOVA SIZE   reads this range too in each drain
 *   next TIMES, edges TIMES   drains so many times; answers what it took in nanoseconds, in the
 *                      kernel, for the scan and for the rest, and how many runs one drain found
 *   pages 0            drains once; answers how many pages were dirty, as the fourth number
 *
 * The container is not set up a second time: its file is taken over from the other process, so that
 * both ask about the very same mappings and pins. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST 2048 /* runs given at a time: a consumer takes them between, as ours does */
#define WINDOWS 1024

static uint32_t pairs[2 * MOST];
static int summing;
static uint64_t pages;
static struct { uint64_t iova, size; } window[WINDOWS];
static size_t windows, largest;
static uint64_t *bitmap;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void give(size_t runs)
{
	if (!summing) {
		__asm__ volatile("" : : "r"(pairs) : "memory");
		return;
	}
	for (size_t i = 0; i < 2 * runs; i += 2)
		pages += pairs[i + 1] - pairs[i];
}

/* The place of the next bit from there on that differs from those of `flip`. */
static size_t next(const uint64_t *w, size_t n, size_t from, uint64_t flip)
{
	size_t i = from >> 6;
	uint64_t v;

	if (i >= n)
		return n << 6;
	v = (w[i] ^ flip) & (~0ull << (from & 63));
	while (!v) {
		if (++i == n)
			return n << 6;
		v = w[i] ^ flip;
	}
	return (i << 6) + __builtin_ctzll(v);
}

static uint64_t runs_next(const uint64_t *w, size_t n)
{
	uint64_t total = 0;
	size_t at = 0, out = 0;

	for (;;) {
		size_t start = next(w, n, at, 0);

		if (start == n << 6)
			break;
		at = next(w, n, start, ~0ull);
		pairs[2 * out] = start;
		pairs[2 * out + 1] = at;
		if (++out == MOST) {
			give(out);
			total += out;
			out = 0;
		}
	}
	give(out);
	return total + out;
}

static uint64_t runs_edges(const uint64_t *w, size_t n)
{
	uint64_t total = 0, carry = 0;
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t v = w[i], t = v ^ (v << 1 | carry);

		carry = v >> 63;
		while (t) {
			pairs[out++] = (i << 6) + __builtin_ctzll(t);
			t &= t - 1;
			if (out == 2 * MOST) {
				give(MOST);
				total += MOST;
				out = 0;
			}
		}
	}
	if (carry)
		pairs[out++] = n << 6;
	give(out / 2);
	return total + out / 2;
}

/* IOMMU_HWPT_GET_DIRTY_BITMAP, which is younger than some headers. */
struct hwpt_get {
	uint32_t size, hwpt_id, flags, reserved;
	uint64_t iova, length, page_size, data;
};
#define HWPT_GET 0x3b8c
#define NO_CLEAR 1

static uint32_t table;

static int get_table(int fd, size_t i)
{
	struct hwpt_get request = {
		.size = sizeof(request),
		.hwpt_id = table,
		.flags = NO_CLEAR,
		.iova = window[i].iova,
		.length = window[i].size,
		.page_size = 4096,
		.data = (uintptr_t)bitmap,
	};

	return ioctl(fd, HWPT_GET, &request);
}

static int get_container(int fd, size_t i, size_t bytes)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		struct vfio_iommu_type1_dirty_bitmap_get get;
	} request;

	memset(&request, 0, sizeof(request));
	request.head.argsz = sizeof(request);
	request.head.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
	request.get.iova = window[i].iova;
	request.get.size = window[i].size;
	request.get.bitmap.pgsize = 4096;
	request.get.bitmap.size = bytes;
	request.get.bitmap.data = (void *)bitmap;
	return ioctl(fd, VFIO_IOMMU_DIRTY_PAGES, &request);
}

/* Reads one range; 0, or -1. */
static int get(int fd, size_t i, size_t bytes)
{
	return table ? get_table(fd, i) : get_container(fd, i, bytes);
}

int main(int argc, char **argv)
{
	char line[80], what[16];
	int process, fd;
	uint64_t a, b;

	if (argc != 3 && argc != 4)
		return 2;
	if (argc == 4)
		table = atoi(argv[3]);
	process = syscall(SYS_pidfd_open, atoi(argv[1]), 0);
	fd = process < 0 ? -1 : syscall(SYS_pidfd_getfd, process, atoi(argv[2]), 0);
	if (fd < 0) {
		perror("pidfd_getfd");
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		int64_t start, kernel = 0, scan = 0;
		uint64_t runs = 0;
		int edges;

		b = 0;
		if (sscanf(line, "%15s %" SCNu64 " %" SCNu64, what, &a, &b) < 2)
			return 2;
		if (!strcmp(what, "window")) {
			size_t bytes = (b / 4096 + 63) / 64 * 8;

			if (windows == WINDOWS)
				return 2;
			window[windows].iova = a;
			window[windows++].size = b;
			if (bytes <= largest)
				continue;
			free(bitmap);
			largest = bytes;
			bitmap = aligned_alloc(65536, (bytes + 65535) / 65536 * 65536);
			if (!bitmap)
				return 1;
			continue;
		}
		edges = !strcmp(what, "edges");
		summing = !strcmp(what, "pages");
		pages = 0;
		start = now();
		for (uint64_t round = 0; round < (summing ? 1 : a); round++) {
			runs = 0;
			for (size_t i = 0; i < windows; i++) {
				/* As many words as the kernel wants. */
				size_t words = (window[i].size / 4096 + 63) / 64;
				int64_t t0, t1, t2;

				memset(bitmap, 0, words * 8);
				t0 = now();
				if (get(fd, i, words * 8)) {
					perror("reading dirty pages");
					return 1;
				}
				t1 = now();
				runs += edges ? runs_edges(bitmap, words) : runs_next(bitmap, words);
				t2 = now();
				kernel += t1 - t0;
				scan += t2 - t1;
			}
		}
		printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRIu64 "\n", kernel, scan,
		       now() - start - kernel - scan, summing ? pages : runs);
		fflush(stdout);
	}
	return 0;
}
