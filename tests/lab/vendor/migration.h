/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINSCOPE_VENDOR_MIGRATION_H
#define PINSCOPE_VENDOR_MIGRATION_H

#include <linux/types.h>

struct vendor;

/* As at the beginning: running, and no data goes anywhere. Needs the lock. */
void vendor_migration_restart(struct vendor *vendor);
/* Whether the device may write to memory. Needs the lock. */
bool vendor_migration_runs(struct vendor *vendor);

#endif
