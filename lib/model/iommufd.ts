import { ERRNO } from "../base/errno.ts";
import type { Extent } from "../base/extent.ts";
import { IOMMUFD_RULES, IOMMUFD_STRUCTS } from "../rules/iommufd.ts";
import { firstRefusal } from "../rules/refusal.ts";
import { iommu_hwpt_get_dirty_bitmap } from "../uapi/iommufd_hwpt.ts";
import { IOMMU_IOAS_IOVA_RANGES } from "../uapi/request.ts";
import { type IoctlArgument, ModelFile } from "./file.ts";
import type { BoundGroup } from "./iommufd_device.ts";
import { Objects } from "./iommufd_object.ts";
import { answerHwpt } from "./iommufd_hwpt_request.ts";
import { answerIoas } from "./iommufd_ioas_request.ts";
import { answerMock, MOCK_REQUEST, MOCK_STRUCT } from "./iommufd_mock.ts";
import type { Process } from "./process.ts";

/** A request of an iommufd, with its struct as the kernel copied it. */
export interface IommufdCall {
  readonly request: number;
  /** As long as the kernel's struct: what the caller left out is 0. It is written back on success. */
  readonly bytes: Uint8Array;
  readonly objects: Objects;
  readonly current: Process;
}

/** The range of a GET_DIRTY_BITMAP. */
export function dirtyRangeOf(argument: IoctlArgument): Extent | undefined {
  if (!(argument instanceof Uint8Array)) return undefined;
  if (argument.length < iommu_hwpt_get_dirty_bitmap.size) return undefined;
  const { iova, length } = iommu_hwpt_get_dirty_bitmap.over(argument).fields;
  return { iova, size: length };
}

/** The first numbers of iommufd's own requests, and one past the last. */
const [FIRST, END] = [0x3b80, 0x3ba1];

/**
 * An open /dev/iommu.
 *
 * @see drivers/iommu/iommufd/main.c
 */
export class IommufdFile extends ModelFile {
  readonly objects: Objects = new Objects();
  readonly #groups = new Map<number, BoundGroup>();
  readonly #mock: boolean;

  /** An iommufd without objects; `mock` where the kernel has the requests of its own tests. */
  constructor(mock: boolean) {
    super();
    this.#mock = mock;
  }

  override ioctl(request: number, argument: IoctlArgument, current: Process): number {
    if (request < FIRST || request >= END) return -ERRNO.ENOTTY;
    if (!(argument instanceof Uint8Array) || argument.length < 4) return -ERRNO.EFAULT;
    const size = new DataView(argument.buffer, argument.byteOffset).getUint32(0, true);
    const isMock = this.#mock && request === MOCK_REQUEST;
    const struct = isMock ? MOCK_STRUCT : IOMMUFD_STRUCTS.get(request);
    const tail = struct !== undefined &&
      argument.subarray(struct.size, size).some((one) => one > 0);
    const refusal = firstRefusal(IOMMUFD_RULES, { size, tail }, { struct });
    if (refusal !== undefined) return -refusal.errno;
    if (struct === undefined || argument.length < size) return -ERRNO.EFAULT;
    const known = argument.subarray(0, Math.min(size, struct.size));
    const bytes = new Uint8Array(struct.size);
    bytes.set(known);
    const { objects } = this;
    const call: IommufdCall = { request, bytes, objects, current };
    const result = (isMock ? answerMock(call) : undefined) ?? answerIoas(call) ??
      answerHwpt(call) ??
      -ERRNO.ENOTTY;
    // How many ranges there are is told also where there was no room for them.
    const tells = request === IOMMU_IOAS_IOVA_RANGES && result === -ERRNO.EMSGSIZE;
    if (result >= 0 || tells) known.set(bytes.subarray(0, known.length));
    return result;
  }

  /** What the devices of an IOMMU group share here. */
  group(number: number): BoundGroup {
    const group = this.#groups.get(number) ?? { hwpt: undefined, attached: new Set() };
    this.#groups.set(number, group);
    return group;
  }

  override release(): void {
    this.objects.clear();
  }
}
