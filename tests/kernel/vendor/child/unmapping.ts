/** Runs as a child of sharing.ts: unmaps what its parent mapped, through the container at file 7. */
import { listHolders, pinsOf, rawLinux as linux } from "../../../../mod.ts";
import { vfio_iommu_type1_dma_unmap, VFIO_IOMMU_UNMAP_DMA } from "../../../../lib/uapi/mod.ts";
import { answer } from "../../support/raw.ts";

const [iova = "0", size = "0"] = Deno.args;
const request = vfio_iommu_type1_dma_unmap.create();
Object.assign(request.fields, { argsz: 24, flags: 0, iova: BigInt(iova), size: BigInt(size) });
using _held = linux.retain();
const report = {
  result: answer(linux.ioctlBuffer(7, VFIO_IOMMU_UNMAP_DMA, request.bytes)),
  removed: Number(request.fields.size),
  locked: Number(pinsOf().locked),
  // Parent and child have the same container: kcmp gives both one number.
  containers: listHolders().holders.map(({ containers }) => containers.map(({ id }) => id)),
};
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(report)));
