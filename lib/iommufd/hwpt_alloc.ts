import { checkOptions } from "../base/argument.ts";
import { IOMMU_HWPT_ALLOC_DIRTY_TRACKING } from "../uapi/flag.ts";
import { iommu_hwpt_alloc } from "../uapi/iommufd_hwpt.ts";
import { IOMMU_HWPT_ALLOC } from "../uapi/request.ts";
import { explainHwpt } from "./explain.ts";
import { type Hwpt, newHwpt } from "./hwpt.ts";
import { ALLOC_OPTIONS, type HwptInit, type HwptOptions } from "./hwpt_types.ts";
import { request } from "./object.ts";
import { recorded } from "./recorder.ts";

/** See `Ioas.pageTable`. */
export function allocateHwpt(
  init: HwptInit,
  options?: HwptOptions,
): Hwpt {
  const { dirtyTracking = false } = checkOptions(options, ALLOC_OPTIONS);
  const { file, ioas, device } = init;
  const struct = iommu_hwpt_alloc.create();
  struct.fields.flags = dirtyTracking ? IOMMU_HWPT_ALLOC_DIRTY_TRACKING : 0;
  struct.fields.dev_id = device.id;
  struct.fields.pt_id = ioas.id;
  const operation = [IOMMU_HWPT_ALLOC, "IOMMU_HWPT_ALLOC"] as const;
  const action = `make a page table${dirtyTracking ? " with dirty tracking" : ""} of address ` +
    `space ${ioas.id} for device ${device.id}`;
  return recorded(file.recorder, () => {
    request(
      file,
      operation,
      struct,
      action,
      (errno) => explainHwpt(file.kernel, errno, dirtyTracking),
    );
    return newHwpt(init, struct.fields.out_hwpt_id, dirtyTracking);
  }, (book, _mode, { id }) => {
    book.setTables(ioas.id, init.parts.size);
    return ["page-table", `page table ${id} of address space ${ioas.id}`];
  });
}
