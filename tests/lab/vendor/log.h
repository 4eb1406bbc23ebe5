/* SPDX-License-Identifier: GPL-2.0-only */
/* The device's own log of its writes; the caller holds the lock. */
#ifndef PINSCOPE_VENDOR_LOG_H
#define PINSCOPE_VENDOR_LOG_H

#include <linux/types.h>

struct vendor;

void vendor_log_init(struct vendor *vendor);
void vendor_log_free(struct vendor *vendor);
void vendor_log_end(struct vendor *vendor);

/* Notes a write, if a log is kept; gives the pages of the log that it touches. */
s64 vendor_log_write(struct vendor *vendor, u64 iova, u64 length);
s64 vendor_log_sizes(struct vendor *vendor, u64 smallest, u64 largest);

/* How many bytes all ranges of a log together may have, from now on. */
s64 vendor_log_space(struct vendor *vendor, u64 fewest, u64 most);

/* From now on until the log ends each report takes pages and answers -errno. */
s64 vendor_log_fail(struct vendor *vendor, u64 error);

#endif
