// SPDX-License-Identifier: GPL-2.0-only
/* The command region: what is read from it, and what a write makes happen. */
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "vendor.h"
#include "log.h"
#include "migration.h"
#include "pins.h"
#include "stream.h"

/* What was written goes into the log, if one is kept. */
static s64 written(struct vendor *vendor, s64 length)
{
	s64 ret = length > 0 ?
		  vendor_log_write(vendor, vendor->region->iova, length) : 0;

	return ret < 0 ? ret : length;
}

static s64 run(struct vendor *vendor)
{
	struct pinscope_vendor_region *region = vendor->region;
	u64 iova = region->iova, length = region->length;
	int ret;

	switch (region->op) {
	case PINSCOPE_VENDOR_WRITE:
	case PINSCOPE_VENDOR_READ:
	case PINSCOPE_VENDOR_WRITE_PINNED:
	case PINSCOPE_VENDOR_DIRTY:
		if (!vendor_migration_runs(vendor))
			return -EBUSY;
	}

	switch (region->op) {
	case PINSCOPE_VENDOR_PIN:
		return vendor_pin(vendor, iova, length, region->flags);
	case PINSCOPE_VENDOR_UNPIN:
		return vendor_unpin(vendor, iova, length);
	case PINSCOPE_VENDOR_WRITE:
	case PINSCOPE_VENDOR_READ:
		if (length > sizeof(region->data))
			return -EINVAL;
		ret = vfio_dma_rw(vendor->vdev, iova, region->data, length,
				  region->op == PINSCOPE_VENDOR_WRITE);
		if (ret)
			return ret;
		if (region->op == PINSCOPE_VENDOR_WRITE)
			return written(vendor, length);
		vendor->changes++;
		return length;
	case PINSCOPE_VENDOR_WRITE_PINNED:
		return written(vendor,
			       vendor_write_pinned(vendor, iova, length));
	case PINSCOPE_VENDOR_DIRTY:
		if (!vendor->vdev->log_ops)
			return -EOPNOTSUPP;
		return length > SZ_1G >> 12 ? -EINVAL :
		       vendor_log_write(vendor, iova, length << 12);
	case PINSCOPE_VENDOR_LOG_SIZES:
		if (!vendor->vdev->log_ops)
			return -EOPNOTSUPP;
		return vendor_log_sizes(vendor, iova, length);
	case PINSCOPE_VENDOR_LOG_SPACE:
		if (!vendor->vdev->log_ops)
			return -EOPNOTSUPP;
		return vendor_log_space(vendor, iova, length);
	case PINSCOPE_VENDOR_LOG_FAIL:
		if (!vendor->vdev->log_ops)
			return -EOPNOTSUPP;
		return vendor_log_fail(vendor, length);
	case PINSCOPE_VENDOR_FAIL:
		if (!vendor->vdev->mig_ops)
			return -EOPNOTSUPP;
		vendor->fails = true;
		return 0;
	case PINSCOPE_VENDOR_CLEAR:
		region->unmaps = 0;
		region->returned = 0;
		memset(region->log, 0, sizeof(region->log));
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static bool inside(size_t count, loff_t pos, size_t first, size_t end)
{
	return pos >= first && pos <= end && count <= end - pos;
}

ssize_t vendor_read(struct vendor *vendor, char __user *buf, size_t count,
		    loff_t pos)
{
	ssize_t ret = count;

	if (!inside(count, pos, 0, sizeof(*vendor->region)))
		return -EINVAL;
	mutex_lock(&vendor->lock);
	if (copy_to_user(buf, (u8 *)vendor->region + pos, count))
		ret = -EFAULT;
	mutex_unlock(&vendor->lock);
	return ret;
}

ssize_t vendor_write(struct vendor *vendor, const char __user *buf,
		     size_t count, loff_t pos)
{
	const size_t result = offsetof(struct pinscope_vendor_region, result);
	const size_t data = offsetof(struct pinscope_vendor_region, data);
	bool in_command = inside(count, pos, 0, result);
	ssize_t ret = count;

	if (!in_command && !inside(count, pos, data, sizeof(*vendor->region)))
		return -EINVAL;
	mutex_lock(&vendor->lock);
	if (copy_from_user((u8 *)vendor->region + pos, buf, count))
		ret = -EFAULT;
	else if (!in_command)
		vendor->changes++;
	else if (count && pos + count == result)
		vendor->region->result = run(vendor);
	mutex_unlock(&vendor->lock);
	return ret;
}

/*
 * type1 calls this when a mapping with pinned pages goes, without its own lock:
 * the pins may be given back here, and must be.
 */
void vendor_dma_unmap(struct vendor *vendor, u64 iova, u64 length)
{
	struct pinscope_vendor_region *region = vendor->region;
	struct pinscope_vendor_unmap *entry;

	mutex_lock(&vendor->lock);
	entry = &region->log[region->unmaps % PINSCOPE_VENDOR_LOG];
	entry->iova = iova;
	entry->length = length;
	region->unmaps++;
	region->returned += vendor_drop_all(vendor, iova >> PAGE_SHIFT,
					    (iova + length - 1) >> PAGE_SHIFT);
	mutex_unlock(&vendor->lock);
}

/* The next user finds the region as after loading. */
void vendor_close(struct vendor *vendor)
{
	mutex_lock(&vendor->lock);
	vendor_drop_all(vendor, 0, ULONG_MAX);
	vendor_log_end(vendor);
	vendor_stream_end(vendor);
	memset(vendor->region, 0, sizeof(*vendor->region));
	vendor->region->magic = PINSCOPE_VENDOR_MAGIC;
	vendor->region->log_size = PINSCOPE_VENDOR_LOG;
	vendor_log_init(vendor);
	vendor_migration_restart(vendor);
	mutex_unlock(&vendor->lock);
}
