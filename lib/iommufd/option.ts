import { ERRNO } from "../base/errno.ts";
import { IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_GET, IOMMU_OPTION_OP_SET } from "../uapi/flag.ts";
import { iommu_option } from "../uapi/iommufd.ts";
import { IOMMU_OPTION } from "../uapi/request.ts";
import { type IommufdFile, request } from "./object.ts";

const nameOf = (option: number): string =>
  option === IOMMU_OPTION_HUGE_PAGES ? "the use of huge pages" : "the account of pinned memory";

function ask(file: IommufdFile, op: number, option: number, object: number, value: bigint): bigint {
  const struct = iommu_option.create();
  struct.fields.option_id = option;
  struct.fields.op = op;
  struct.fields.object_id = object;
  struct.fields.val64 = value;
  const action = `${op === IOMMU_OPTION_OP_SET ? "set" : "read"} ${nameOf(option)}`;
  request(file, [IOMMU_OPTION, "IOMMU_OPTION"], struct, action, (errno) => {
    switch (errno) {
      case ERRNO.EPERM:
        return "only CAP_SYS_RESOURCE may change whom memory is charged to";
      case ERRNO.EBUSY:
        return "it can be changed before the first object is made only";
      case ERRNO.EADDRINUSE:
        return "a mapping is no multiple of a page: unmap it, or do without huge pages before it";
      case ERRNO.EINVAL:
        return "a page table may have huge entries already: set it before the first device";
      default:
        return undefined;
    }
  });
  return struct.fields.val64;
}

/** Reads an option of an iommufd (object 0) or of one of its objects. */
export function getOption(file: IommufdFile, option: number, object: number): bigint {
  return ask(file, IOMMU_OPTION_OP_GET, option, object, 0n);
}

/** Sets an option. */
export function setOption(file: IommufdFile, option: number, object: number, value: bigint): void {
  ask(file, IOMMU_OPTION_OP_SET, option, object, value);
}
