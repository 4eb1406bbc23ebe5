// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mediated devices without hardware: one type that can pin, and one whose
 * driver lacks the dma_unmap callback, so that the kernel does not let it pin.
 * Two more types pin and migrate, one of them with all states and a DMA log.
 */
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vendor.h"

struct vendor_mdev {
	struct vfio_device vdev;
	struct vendor vendor;
};

static struct vendor *to_vendor(struct vfio_device *vdev)
{
	return &container_of(vdev, struct vendor_mdev, vdev)->vendor;
}

struct vendor *vendor_of_mdev(struct vfio_device *vdev)
{
	return to_vendor(vdev);
}

static struct mdev_type logs_type, migrates_type;

static int mdev_init_dev(struct vfio_device *vdev)
{
	struct mdev_type *type = to_mdev_device(vdev->dev)->type;

	if (type == &logs_type)
		vendor_give_log(vdev);
	if (type == &logs_type || type == &migrates_type)
		vendor_give_migration(vdev, type == &logs_type);
	return vendor_init(to_vendor(vdev), vdev);
}

static void mdev_release_dev(struct vfio_device *vdev)
{
	vendor_free(to_vendor(vdev));
}

static int mdev_open(struct vfio_device *vdev)
{
	return 0;
}

static void mdev_close(struct vfio_device *vdev)
{
	vendor_close(to_vendor(vdev));
}

static ssize_t mdev_read(struct vfio_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos)
{
	ssize_t ret = vendor_read(to_vendor(vdev), buf, count, *ppos);

	if (ret > 0)
		*ppos += ret;
	return ret;
}

static ssize_t mdev_write(struct vfio_device *vdev, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	ssize_t ret = vendor_write(to_vendor(vdev), buf, count, *ppos);

	if (ret > 0)
		*ppos += ret;
	return ret;
}

static void mdev_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	vendor_dma_unmap(to_vendor(vdev), iova, length);
}

static int describe_region(struct vfio_region_info *info)
{
	if (info->index != 0)
		return -EINVAL;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	info->offset = 0;
	info->size = sizeof(struct pinscope_vendor_region);
	return 0;
}

static long get_info(struct vfio_device *vdev, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info = {};

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = vdev->mig_ops ? VFIO_DEVICE_FLAGS_RESET : 0;
	info.num_regions = 1;
	info.num_irqs = 0;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

#ifdef VFIO_HAS_REGION_INFO_CAPS
static int mdev_region_info(struct vfio_device *vdev,
			    struct vfio_region_info *info,
			    struct vfio_info_cap *caps)
{
	return describe_region(info);
}
#else
static long get_region_info(void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info info = {};
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	ret = describe_region(&info);
	if (ret)
		return ret;
	info.cap_offset = 0;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}
#endif

static long mdev_ioctl(struct vfio_device *vdev, unsigned int cmd,
		       unsigned long arg)
{
	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return get_info(vdev, (void __user *)arg);
	case VFIO_DEVICE_RESET:
		if (!vdev->mig_ops)
			return -ENOTTY;
		vendor_reset(to_vendor(vdev));
		return 0;
#ifndef VFIO_HAS_REGION_INFO_CAPS
	case VFIO_DEVICE_GET_REGION_INFO:
		return get_region_info((void __user *)arg);
#endif
	case VFIO_DEVICE_GET_IRQ_INFO:
	case VFIO_DEVICE_SET_IRQS:
		return -EINVAL;
	default:
		return -ENOTTY;
	}
}

#ifdef VFIO_HAS_DETACH_IOAS
#define DETACH_IOAS .detach_ioas = vfio_iommufd_emulated_detach_ioas,
#else
#define DETACH_IOAS
#endif

#ifdef VFIO_HAS_IOMMUFD
#define IOMMUFD_OPS						\
	.bind_iommufd	= vfio_iommufd_emulated_bind,		\
	.unbind_iommufd	= vfio_iommufd_emulated_unbind,		\
	.attach_ioas	= vfio_iommufd_emulated_attach_ioas,	\
	DETACH_IOAS
#else
#define IOMMUFD_OPS
#endif

#ifdef VFIO_HAS_REGION_INFO_CAPS
#define REGION_OPS .get_region_info_caps = mdev_region_info,
#else
#define REGION_OPS
#endif

#define COMMON_OPS				\
	.name		= PINSCOPE_VENDOR_NAME,	\
	.init		= mdev_init_dev,	\
	.release	= mdev_release_dev,	\
	.open_device	= mdev_open,		\
	.close_device	= mdev_close,		\
	.read		= mdev_read,		\
	.write		= mdev_write,		\
	.ioctl		= mdev_ioctl,		\
	REGION_OPS IOMMUFD_OPS

static const struct vfio_device_ops pins_ops = {
	COMMON_OPS
	.dma_unmap	= mdev_dma_unmap,
};

static const struct vfio_device_ops no_unmap_ops = {
	COMMON_OPS
};

static struct mdev_type pins_type = {
	.sysfs_name	= "pins",
	.pretty_name	= "pins pages on command",
};

static struct mdev_type no_unmap_type = {
	.sysfs_name	= "no_unmap",
	.pretty_name	= "without dma_unmap: may not pin",
};

static struct mdev_type logs_type = {
	.sysfs_name	= "logs",
	.pretty_name	= "pins, logs its writes, has all migration states",
};

static struct mdev_type migrates_type = {
	.sysfs_name	= "migrates",
	.pretty_name	= "pins, migrates while it is stopped",
};

static struct mdev_type *types[] = {
	&pins_type, &no_unmap_type, &logs_type, &migrates_type,
};

static int vendor_mdev_probe(struct mdev_device *mdev)
{
	const struct vfio_device_ops *ops =
		mdev->type == &no_unmap_type ? &no_unmap_ops : &pins_ops;
	struct vendor_mdev *device;
	int ret;

	device = vfio_alloc_device(vendor_mdev, vdev, &mdev->dev, ops);
	if (IS_ERR(device))
		return PTR_ERR(device);
	ret = vfio_register_emulated_iommu_dev(&device->vdev);
	if (ret) {
		vfio_put_device(&device->vdev);
		return ret;
	}
	dev_set_drvdata(&mdev->dev, device);
	return 0;
}

static void vendor_mdev_remove(struct mdev_device *mdev)
{
	struct vendor_mdev *device = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&device->vdev);
	vfio_put_device(&device->vdev);
}

static struct mdev_driver vendor_mdev_driver = {
	.device_api	= "pinscope-vendor",
	.max_instances	= 32,
	.driver = {
		.name		= PINSCOPE_VENDOR_NAME,
		.owner		= THIS_MODULE,
		.mod_name	= KBUILD_MODNAME,
	},
	.probe	= vendor_mdev_probe,
	.remove	= vendor_mdev_remove,
};

static struct class vendor_class = { .name = PINSCOPE_VENDOR_NAME };
static struct mdev_parent vendor_parent;
static struct device *parent_device;

static void release_parent(struct device *dev)
{
	kfree(dev);
}

static struct device *add_parent(void)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int ret;

	if (!dev)
		return ERR_PTR(-ENOMEM);
	device_initialize(dev);
	dev->class = &vendor_class;
	dev->release = release_parent;
	ret = dev_set_name(dev, PINSCOPE_VENDOR_NAME);
	if (!ret)
		ret = device_add(dev);
	if (ret) {
		put_device(dev);
		return ERR_PTR(ret);
	}
	return dev;
}

int vendor_mdev_register(void)
{
	int ret = class_register(&vendor_class);

	if (ret)
		return ret;
	parent_device = add_parent();
	if (IS_ERR(parent_device)) {
		ret = PTR_ERR(parent_device);
		goto no_parent;
	}
	ret = mdev_register_driver(&vendor_mdev_driver);
	if (ret)
		goto no_driver;
	ret = mdev_register_parent(&vendor_parent, parent_device,
				   &vendor_mdev_driver, types,
				   ARRAY_SIZE(types));
	if (!ret)
		return 0;

	mdev_unregister_driver(&vendor_mdev_driver);
no_driver:
	device_unregister(parent_device);
no_parent:
	class_unregister(&vendor_class);
	return ret;
}

void vendor_mdev_unregister(void)
{
	mdev_unregister_parent(&vendor_parent);
	mdev_unregister_driver(&vendor_mdev_driver);
	device_unregister(parent_device);
	class_unregister(&vendor_class);
}
