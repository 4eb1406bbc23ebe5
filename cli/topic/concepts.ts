import type { Topic } from "../topics.ts";

/** What `pinscope help concepts` says. */
export const CONCEPTS: Topic = {
  name: "concepts",
  about: "groups, containers, mappings, windows: the words",
  commands: ["info", "watch", "demo"],
  text: `A device can be used by a script when a driver of VFIO has it: vfio-pci for PCI
devices ("pinscope bind"), the vendor's own driver for mediated devices.

group      devices that the IOMMU cannot tell apart. VFIO gives them out
           together: every one of them must be bound, or have no driver.
container  an address space for devices. Groups are attached to it, and share
           its mappings. iommufd calls it an address space (IOAS).
iova       an address as the device uses it; the container says where it leads.
mapping    a range of iovas with memory of the process behind it. A device
           behind an IOMMU may write there at any time, so the kernel pins all
           of it; for a mediated device its driver pins pages as it needs them.
pinned     a page that the kernel may not move or take away.
dirty      a page that may have been written by a device since the last read.
           What that is worth, its label tells: pinscope help labels.
window     what one read of the bitmap returns. Reading clears: a page that was
           read and not written again is clean in the next round.
round      everything read once. Rates and changes are between two rounds.

Try it without hardware: every command takes --model, a VFIO kernel in memory
whose devices work by themselves. group:5 pins and writes, 0000:00:10.0 is a
plain vfio-pci device.`,
};
