import type { Topic } from "../topics.ts";

/** What `pinscope help scope-rule` says. */
export const SCOPE_RULE: Topic = {
  name: "scope-rule",
  about: "why every page is dirty, and when not",
  commands: ["scope", "dirty", "pins"],
  text: `Type1 reports pinned pages only while every group in the container promises
that nothing else can be written. Else every mapped page is dirty, at every
read.

- vfio-pci and the like: the device reaches all of a mapping through the IOMMU,
  and its driver never pins. It makes every mapped page dirty.
- A mediated device without an IOMMU behind it: it reaches only what its driver
  pins. It does not.
- A driver that can pin, of a device behind an IOMMU: it makes every mapped
  page dirty until it pins for the first time, and not from then on.
- When a group that makes every page dirty leaves, the next read reports
  everything once more, for nothing tells what it wrote.

So one plain device in a container hides what is known of all the others. Put
it into a container of its own:
  pinscope scope DEVICE...      which group it is, by rule or by evidence
In the kernel: drivers/vfio/vfio_iommu_type1.c, num_non_pinned_groups.`,
};
