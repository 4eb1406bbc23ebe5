// SPDX-License-Identifier: GPL-2.0-only
/* A driver that pins pages when it is told to: for tests of VFIO, in a lab. */
#include <linux/module.h>

#include "vendor.h"

static int __init vendor_start(void)
{
	int ret = vendor_mdev_register();

	if (ret)
		return ret;
	ret = vendor_pci_register();
	if (ret)
		vendor_mdev_unregister();
	return ret;
}

static void __exit vendor_end(void)
{
	vendor_pci_unregister();
	vendor_mdev_unregister();
}

module_init(vendor_start);
module_exit(vendor_end);

MODULE_DESCRIPTION("Pins pages through VFIO on command, for tests");
MODULE_AUTHOR("The Pinscope authors");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: vfio_iommu_type1");
