/** A script that sets up a container, and says what it can do. */
export const SETUP = `
try {
  // /dev/vfio/vfio, the group of the device, and with the first group the type of IOMMU: type1 v2.
  using container = Container.open({ kernel });
  using group = container.attach(name);
  for (const id of group.devices) console.log("group", group.number, "has", id.name, id.driver);

  // What VFIO_IOMMU_GET_INFO tells: a mapping must lie in these ranges, in whole pages.
  const { pageSize, dmaAvailable, iovaRanges = [] } = container.info();
  console.log("pages of", formatSize(pageSize), "and", dmaAvailable, "mappings to make");
  for (const { start, end } of iovaRanges) console.log("iova", hex(start), "..", hex(end));

  // Regions of the device: its BARs, and 7 is the configuration space of a PCI device.
  using device = group.device();
  for (const { info } of device.regions()) console.log("region", info.index, formatSize(info.size));

  // Memory that the device can reach: behind an IOMMU it is pinned and counted in VmLck now.
  using memory = container.allocate(1n << 20n);
  using mapping = container.map(memory);
  console.log("mapped", formatSize(mapping.size), "at iova", hex(mapping.iova));
  console.log("VmLck is", formatSize(container.pins().locked));
} catch (error) {`;
