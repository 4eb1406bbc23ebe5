/**
 * The requests of an iommufd about address spaces, options and objects in general.
 *
 * @see drivers/iommu/iommufd/ioas.c and main.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { DESTROY_RULES, IOAS_ALLOC_RULES, OPTION_RULES } from "../rules/iommufd.ts";
import { IOAS_RANGES_RULES, ioasAllowRefusal } from "../rules/ioas_range.ts";
import type { IovaRange } from "../rules/iova.ts";
import { firstRefusal, type Refusal } from "../rules/refusal.ts";
import { IOMMU_OPTION_OP_GET, IOMMU_OPTION_RLIMIT_MODE } from "../uapi/flag.ts";
import {
  iommu_destroy,
  iommu_ioas_alloc,
  iommu_ioas_allow_iovas,
  iommu_ioas_iova_ranges,
  iommu_iova_range,
  iommu_option,
} from "../uapi/iommufd.ts";
import {
  IOMMU_DESTROY,
  IOMMU_IOAS_ALLOC,
  IOMMU_IOAS_ALLOW_IOVAS,
  IOMMU_IOAS_COPY,
  IOMMU_IOAS_IOVA_RANGES,
  IOMMU_IOAS_MAP,
  IOMMU_IOAS_UNMAP,
  IOMMU_OPTION,
} from "../uapi/request.ts";
import type { IommufdCall } from "./iommufd.ts";
import { copyIoas, mapIoas, unmapIoas } from "./iommufd_map_request.ts";
import { IoasObject } from "./iommufd_object.ts";
import { PAGE } from "./page.ts";

const no = (refusal: Refusal | undefined): number => refusal === undefined ? 0 : -refusal.errno;

/** Answers a request: 0 or -errno; undefined for one that is of another kind. */
export function answerIoas(call: IommufdCall): number | undefined {
  switch (call.request) {
    case IOMMU_DESTROY:
      return destroy(call);
    case IOMMU_OPTION:
      return option(call);
    case IOMMU_IOAS_ALLOC:
      return allocate(call);
    case IOMMU_IOAS_IOVA_RANGES:
      return listRanges(call);
    case IOMMU_IOAS_ALLOW_IOVAS:
      return allow(call);
    case IOMMU_IOAS_MAP:
      return mapIoas(call);
    case IOMMU_IOAS_COPY:
      return copyIoas(call);
    case IOMMU_IOAS_UNMAP:
      return unmapIoas(call);
    default:
      return undefined;
  }
}

function destroy({ bytes, objects }: IommufdCall): number {
  const { id } = iommu_destroy.over(bytes).fields;
  const object = objects.get(id);
  const state = { found: object !== undefined, users: object?.users ?? 0 };
  const refusal = firstRefusal(DESTROY_RULES, { id }, state);
  if (refusal === undefined) objects.remove(object!);
  return no(refusal);
}

function allocate({ bytes, objects }: IommufdCall): number {
  const { fields } = iommu_ioas_alloc.over(bytes);
  const refusal = firstRefusal(IOAS_ALLOC_RULES, fields, {});
  if (refusal === undefined) fields.out_ioas_id = objects.add(new IoasObject());
  return no(refusal);
}

function option({ bytes, objects }: IommufdCall): number {
  const { fields } = iommu_option.over(bytes);
  const { option_id, op, object_id, val64, __reserved: reserved } = fields;
  const iopt = objects.find(object_id, IoasObject)?.iopt;
  const request = { option: option_id, op, reserved, object: object_id, value: val64 };
  const refusal = firstRefusal(OPTION_RULES, request, {
    found: iopt !== undefined,
    sysResource: true, // a process of the model may lack CAP_IPC_LOCK, and nothing else
    objects: objects.size,
    filled: iopt?.isFilled === true && iopt.hugePages,
    odd: iopt?.hugePages === true && iopt.hasOdd(PAGE),
  });
  if (refusal !== undefined) return -refusal.errno;
  const isMode = option_id === IOMMU_OPTION_RLIMIT_MODE;
  if (op === IOMMU_OPTION_OP_GET) {
    const on = isMode ? objects.account === "process" : iopt?.hugePages === true;
    fields.val64 = on ? 1n : 0n;
  } else if (isMode) {
    objects.account = val64 === 1n ? "process" : "user";
  } else if (iopt !== undefined) {
    iopt.hugePages = val64 === 1n;
    iopt.align();
  }
  return 0;
}

function listRanges({ bytes, objects, current }: IommufdCall): number {
  const { fields } = iommu_ioas_iova_ranges.over(bytes);
  const { ioas_id, num_iovas: room, allowed_iovas: address, __reserved: reserved } = fields;
  const iopt = objects.find(ioas_id, IoasObject)?.iopt;
  const ranges = iopt?.ranges ?? [];
  const state = { found: iopt !== undefined, count: ranges.length };
  const refusal = firstRefusal(IOAS_RANGES_RULES, { reserved, room }, state);
  if (refusal !== undefined && refusal.errno !== ERRNO.EMSGSIZE) return -refusal.errno;
  for (const [i, { start, end }] of ranges.slice(0, room).entries()) {
    const one = iommu_iova_range.create();
    Object.assign(one.fields, { start, last: end });
    if (!current.memory.write(address + BigInt(i * one.bytes.length), one.bytes)) {
      return -ERRNO.EFAULT;
    }
  }
  fields.num_iovas = ranges.length;
  fields.out_iova_alignment = iopt!.alignment;
  return no(refusal);
}

function allow({ bytes, objects, current }: IommufdCall): number {
  const { ioas_id, num_iovas, allowed_iovas, __reserved: reserved } =
    iommu_ioas_allow_iovas.over(bytes).fields;
  const iopt = objects.find(ioas_id, IoasObject)?.iopt;
  const ranges: IovaRange[] = [];
  let readable = true;
  for (let i = 0; i < num_iovas && readable; i += 1) {
    const one = iommu_iova_range.create();
    const at = allowed_iovas + BigInt(i * one.bytes.length);
    readable = current.memory.read(at, one.bytes);
    if (readable) ranges.push({ start: one.fields.start, end: one.fields.last });
  }
  const found = iopt !== undefined;
  // What could be read is judged first, range by range.
  const refusal = ioasAllowRefusal({ reserved, ranges }, { found, free: iopt?.ranges });
  const ofRanges = refusal?.rule === "ioas.allow-device" || refusal === undefined;
  if (!readable && ofRanges) return -ERRNO.EFAULT;
  if (refusal === undefined) iopt!.allow(ranges);
  return no(refusal);
}
