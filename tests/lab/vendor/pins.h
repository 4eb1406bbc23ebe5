/* SPDX-License-Identifier: GPL-2.0-only */
/* What the ops do; the caller holds the lock. Each gives a count or -errno. */
#ifndef PINSCOPE_VENDOR_PINS_H
#define PINSCOPE_VENDOR_PINS_H

#include <linux/types.h>

struct vendor;

s64 vendor_pin(struct vendor *vendor, u64 iova, u64 npage, u32 flags);
s64 vendor_unpin(struct vendor *vendor, u64 iova, u64 npage);
s64 vendor_write_pinned(struct vendor *vendor, u64 iova, u64 length);
u64 vendor_drop_all(struct vendor *vendor, unsigned long first,
		    unsigned long last);

#endif
