// SPDX-License-Identifier: GPL-2.0-only
/* The migration states: where a change leads, and which stream of data it begins. */
#include <linux/file.h>
#include <linux/fs.h>

#include "vendor.h"
#include "migration.h"
#include "stream.h"

#ifndef VFIO_HAS_PRE_COPY
#define VFIO_MIGRATION_PRE_COPY		0
#define VFIO_DEVICE_STATE_PRE_COPY	6
#define VFIO_DEVICE_STATE_PRE_COPY_P2P	7
#endif

#define ARC(from, to) ((from) << 4 | (to))
#define ARC_OF(from, to) ARC(VFIO_DEVICE_STATE_##from, VFIO_DEVICE_STATE_##to)

bool vendor_migration_runs(struct vendor *vendor)
{
	if (!vendor->vdev->mig_ops)
		return true;
	switch (vendor->region->state) {
	case VFIO_DEVICE_STATE_RUNNING:
	case VFIO_DEVICE_STATE_RUNNING_P2P:
	case VFIO_DEVICE_STATE_PRE_COPY:
	case VFIO_DEVICE_STATE_PRE_COPY_P2P:
		return true;
	default:
		return false;
	}
}

void vendor_migration_restart(struct vendor *vendor)
{
	vendor_stream_end(vendor);
	vendor->fails = false;
	if (vendor->vdev->mig_ops)
		vendor->region->state = VFIO_DEVICE_STATE_RUNNING;
	vendor->region->path = 0;
}

/* One step of those that the kernel plans; NULL, if it begins no stream. */
static struct file *step(struct vendor *vendor, u32 next)
{
	int ret;

	switch (ARC(vendor->region->state, next)) {
	case ARC_OF(RUNNING, PRE_COPY):
	case ARC_OF(RUNNING_P2P, PRE_COPY_P2P):
		return vendor_stream_save(vendor);
	case ARC_OF(PRE_COPY, STOP_COPY):
	case ARC_OF(PRE_COPY_P2P, STOP_COPY):
		vendor_stream_finish(vendor);
		return NULL;
	case ARC_OF(STOP, STOP_COPY): {
		struct file *file = vendor_stream_save(vendor);

		if (!IS_ERR(file))
			vendor_stream_finish(vendor);
		return file;
	}
	case ARC_OF(STOP, RESUMING):
		return vendor_stream_load(vendor);
	case ARC_OF(RESUMING, STOP):
		ret = vendor_stream_take(vendor);
		vendor_stream_end(vendor);
		return ERR_PTR(ret);
	case ARC_OF(PRE_COPY, RUNNING):
	case ARC_OF(PRE_COPY_P2P, RUNNING_P2P):
	case ARC_OF(STOP_COPY, STOP):
		vendor_stream_end(vendor);
		return NULL;
	default:
		return NULL;
	}
}

static struct file *set_state(struct vendor *vendor, u32 wanted)
{
	struct pinscope_vendor_region *region = vendor->region;
	struct file *file = NULL;
	unsigned int shift = 0;

	region->path = 0;
	/* The kernel's table has no way from there, and warns. */
	if (region->state == VFIO_DEVICE_STATE_ERROR)
		return ERR_PTR(-EINVAL);
	while (region->state != wanted) {
		enum vfio_device_mig_state next;
		int ret = vfio_mig_get_next_state(vendor->vdev, region->state,
						  wanted, &next);

		if (ret)
			return ERR_PTR(ret);
		if (WARN_ON(file)) {
			fput(file);
			return ERR_PTR(-EINVAL);
		}
		file = vendor->fails ? ERR_PTR(-EIO) : step(vendor, next);
		if (IS_ERR(file)) {
			vendor_stream_end(vendor);
			vendor->fails = false;
			region->state = VFIO_DEVICE_STATE_ERROR;
			return file;
		}
		region->state = next;
		region->path |= (u64)next << shift;
		shift += 4;
	}
	return file;
}

static struct file *migration_set_state(struct vfio_device *vdev,
					enum vfio_device_mig_state wanted)
{
	struct vendor *vendor = vendor_of_mdev(vdev);
	struct file *file;

	mutex_lock(&vendor->lock);
	file = set_state(vendor, wanted);
	mutex_unlock(&vendor->lock);
	return file;
}

static int migration_get_state(struct vfio_device *vdev,
			       enum vfio_device_mig_state *state)
{
	struct vendor *vendor = vendor_of_mdev(vdev);

	mutex_lock(&vendor->lock);
	*state = vendor->region->state;
	mutex_unlock(&vendor->lock);
	return 0;
}

#ifdef VFIO_HAS_MIG_DATA_SIZE
static int migration_get_data_size(struct vfio_device *vdev,
				   unsigned long *length)
{
	struct vendor *vendor = vendor_of_mdev(vdev);

	mutex_lock(&vendor->lock);
	*length = vendor_stream_length(vendor);
	mutex_unlock(&vendor->lock);
	return 0;
}
#endif

static const struct vfio_migration_ops migration_ops = {
	.migration_set_state		= migration_set_state,
	.migration_get_state		= migration_get_state,
#ifdef VFIO_HAS_MIG_DATA_SIZE
	.migration_get_data_size	= migration_get_data_size,
#endif
};

void vendor_give_migration(struct vfio_device *vdev, bool full)
{
	vdev->mig_ops = &migration_ops;
	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY;
	if (full)
		vdev->migration_flags |= VFIO_MIGRATION_P2P |
					 VFIO_MIGRATION_PRE_COPY;
}

void vendor_reset(struct vendor *vendor)
{
	mutex_lock(&vendor->lock);
	vendor_migration_restart(vendor);
	memset(vendor->region->data, 0, sizeof(vendor->region->data));
	vendor->changes++;
	mutex_unlock(&vendor->lock);
}
