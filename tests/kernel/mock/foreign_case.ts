/** What stands in the way of an address space, on any kernel with mock devices. */

import { Iommufd, type Kernel } from "../../../mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { refused } from "../support/refused.ts";
import { APERTURE, MockDevice } from "./mock.ts";

/** Huge pages cannot be switched off where a mapping is less than a page. */
export function oddMapping(kernel: Kernel): void {
  using iommufd = Iommufd.open({ kernel });
  using space = iommufd.addressSpace();
  using memory = iommufd.allocate(4096n);
  // Without a device addresses have no unit.
  using mapping = space.map(memory, { iova: APERTURE.start + 100n, offset: 100n, size: 100n });
  refused(() => void (space.hugePages = false), {
    code: "EADDRINUSE",
    operation: "IOMMU_OPTION",
    text: "is no multiple of a page: unmap it",
  });
  mapping[Symbol.dispose]();
  space.hugePages = false;
  equal(space.hugePages, false);
}

/** Closes an iommufd with an object that Pinscope did not make: the object is in the way of the address space, and goes with the file. */
export function closesUnderForeign(kernel: Kernel): void {
  const iommufd = Iommufd.open({ kernel });
  const space = iommufd.addressSpace();
  const memory = iommufd.allocate(64n << 10n);
  const mapping = space.map(memory, { iova: APERTURE.start });
  new MockDevice(iommufd, space); // nobody takes it away
  refused(() => iommufd[Symbol.dispose](), {
    code: "EBUSY",
    operation: "IOMMU_DESTROY",
    text: "another object uses it",
  });
  memory[Symbol.dispose]();
  equal([mapping.isMapped, memory.isMapped], [false, false]);
  throws(() => space.ranges(), ReferenceError, "it is gone");
  iommufd[Symbol.dispose](); // a second time does nothing
}
