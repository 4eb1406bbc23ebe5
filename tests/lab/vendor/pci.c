// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver for QEMU's edu device that gives it to user space as vfio-pci does,
 * and can pin: a device behind an IOMMU whose driver declares its dirty scope.
 *
 * It takes a device by driver_override only.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vfio_pci_core.h>

#include "vendor.h"

struct vendor_pci {
	struct vfio_pci_core_device core;
	struct vendor vendor;
};

static struct vendor *to_vendor(struct vfio_device *vdev)
{
	return &container_of(vdev, struct vendor_pci, core.vdev)->vendor;
}

/* Off, the device answers as one of vfio-pci does. */
static bool pci_log;
module_param(pci_log, bool, 0444);
MODULE_PARM_DESC(pci_log, "PCI devices keep a DMA log too");

struct vendor *vendor_of_pci(struct vfio_device *vdev)
{
	return to_vendor(vdev);
}

static ssize_t region_rw(struct vfio_pci_core_device *core, char __user *buf,
			 size_t count, loff_t *ppos, bool iswrite)
{
	struct vendor *vendor = to_vendor(&core->vdev);
	loff_t pos = *ppos & VFIO_PCI_OFFSET_MASK;
	ssize_t ret = iswrite ? vendor_write(vendor, buf, count, pos) :
				vendor_read(vendor, buf, count, pos);

	if (ret > 0)
		*ppos += ret;
	return ret;
}

static void region_release(struct vfio_pci_core_device *core,
			   struct vfio_pci_region *region)
{
}

static const struct vfio_pci_regops region_ops = {
	.rw		= region_rw,
	.release	= region_release,
};

static int pci_init_dev(struct vfio_device *vdev)
{
	int ret = vendor_init(to_vendor(vdev), vdev);

	if (ret)
		return ret;
	if (pci_log)
		vendor_give_log(vdev);
	ret = vfio_pci_core_init_dev(vdev);
	if (ret)
		vendor_free(to_vendor(vdev));
	return ret;
}

static void pci_release_dev(struct vfio_device *vdev)
{
	vfio_pci_core_release_dev(vdev);
	vendor_free(to_vendor(vdev));
}

static int pci_open(struct vfio_device *vdev)
{
	struct vfio_pci_core_device *core =
		container_of(vdev, struct vfio_pci_core_device, vdev);
	int ret = vfio_pci_core_enable(core);

	if (ret)
		return ret;
	ret = vfio_pci_core_register_dev_region(core,
			VFIO_REGION_TYPE_PCI_VENDOR_TYPE |
			PINSCOPE_VENDOR_PCI_VENDOR,
			PINSCOPE_VENDOR_PCI_SUBTYPE, &region_ops,
			sizeof(struct pinscope_vendor_region),
			VFIO_REGION_INFO_FLAG_READ |
			VFIO_REGION_INFO_FLAG_WRITE, NULL);
	if (ret) {
		vfio_pci_core_disable(core);
		return ret;
	}
	vfio_pci_core_finish_enable(core);
	return 0;
}

static void pci_close(struct vfio_device *vdev)
{
	vendor_close(to_vendor(vdev));
	vfio_pci_core_close_device(vdev);
}

static void pci_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	vendor_dma_unmap(to_vendor(vdev), iova, length);
}

static const struct vfio_device_ops vendor_pci_ops = {
	.name		= "pinscope-vfio-pci",
	.init		= pci_init_dev,
	.release	= pci_release_dev,
	.open_device	= pci_open,
	.close_device	= pci_close,
	.ioctl		= vfio_pci_core_ioctl,
#ifdef VFIO_HAS_REGION_INFO_CAPS
	.get_region_info_caps = vfio_pci_ioctl_get_region_info,
#endif
	.device_feature	= vfio_pci_core_ioctl_feature,
	.read		= vfio_pci_core_read,
	.write		= vfio_pci_core_write,
	.mmap		= vfio_pci_core_mmap,
	.request	= vfio_pci_core_request,
	.match		= vfio_pci_core_match,
#ifdef VFIO_HAS_MATCH_TOKEN
	.match_token_uuid = vfio_pci_core_match_token_uuid,
#endif
	.dma_unmap	= pci_dma_unmap,
#ifdef VFIO_HAS_IOMMUFD
	.bind_iommufd	= vfio_iommufd_physical_bind,
	.unbind_iommufd	= vfio_iommufd_physical_unbind,
	.attach_ioas	= vfio_iommufd_physical_attach_ioas,
#endif
#ifdef VFIO_HAS_DETACH_IOAS
	.detach_ioas	= vfio_iommufd_physical_detach_ioas,
#endif
};

static int pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vendor_pci *device;
	int ret;

	device = vfio_alloc_device(vendor_pci, core.vdev, &pdev->dev,
				   &vendor_pci_ops);
	if (IS_ERR(device))
		return PTR_ERR(device);
	dev_set_drvdata(&pdev->dev, &device->core);
	ret = vfio_pci_core_register_device(&device->core);
	if (ret)
		vfio_put_device(&device->core.vdev);
	return ret;
}

static void pci_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(core);
	vfio_put_device(&core->vdev);
}

static const struct pci_device_id ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PINSCOPE_VENDOR_PCI_VENDOR, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver vendor_pci_driver = {
	.name			= "pinscope-vfio-pci",
	.id_table		= ids,
	.probe			= pci_probe,
	.remove			= pci_remove,
	.err_handler		= &vfio_pci_core_err_handlers,
	.driver_managed_dma	= true,
};

int vendor_pci_register(void)
{
	return pci_register_driver(&vendor_pci_driver);
}

void vendor_pci_unregister(void)
{
	pci_unregister_driver(&vendor_pci_driver);
}
