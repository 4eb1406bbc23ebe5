// The command line on a kernel that never answers a long call. usage: stuck_child.ts ARGUMENT...
import { main } from "../../cli/main.ts";
import { ModelKernel } from "../../lib/model/mod.ts";
import {
  VFIO_IOMMU_DIRTY_PAGES,
  VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP as GET,
} from "../../lib/uapi/mod.ts";

ModelKernel.prototype.ioctlAside = () => {
  console.error("reading");
  return {
    done: new Promise(() => {}),
    wait: () => {
      for (;;); // as a call that waits for a lock of the kernel does
    },
  };
};
// Who reads on the main thread does not come back either, and hears no signal.
const { ioctlBuffer } = ModelKernel.prototype;
ModelKernel.prototype.ioctlBuffer = function (fd, request, argument): number {
  while (request === VFIO_IOMMU_DIRTY_PAGES && argument[4] === GET);
  return ioctlBuffer.call(this, fd, request, argument);
};
Deno.exitCode = await main(Deno.args);
