/**
 * The requests of an iommufd about page tables and the IOMMUs behind them.
 *
 * @see drivers/iommu/iommufd/hw_pagetable.c and device.c
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { HW_INFO_RULES } from "../rules/cdev.ts";
import { HWPT_GET_RULES, HWPT_SET_RULES } from "../rules/hwpt.ts";
import { HWPT_ALLOC_RULES } from "../rules/hwpt_alloc.ts";
import { firstRefusal } from "../rules/refusal.ts";
import {
  IOMMU_HW_CAP_DIRTY_TRACKING,
  IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
  IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
  IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
} from "../uapi/flag.ts";
import { iommu_hw_info } from "../uapi/iommufd_hw.ts";
import {
  iommu_hwpt_alloc,
  iommu_hwpt_get_dirty_bitmap,
  iommu_hwpt_set_dirty_tracking,
} from "../uapi/iommufd_hwpt.ts";
import {
  IOMMU_GET_HW_INFO,
  IOMMU_HWPT_ALLOC,
  IOMMU_HWPT_GET_DIRTY_BITMAP,
  IOMMU_HWPT_SET_DIRTY_TRACKING,
} from "../uapi/request.ts";
import type { IommufdCall } from "./iommufd.ts";
import { BoundObject } from "./iommufd_device.ts";
import { HwptObject } from "./iommufd_hwpt.ts";
import { IoasObject, type Objects } from "./iommufd_object.ts";

/** Answers a request: 0 or -errno; undefined for one that is of another kind. */
export function answerHwpt(call: IommufdCall): number | undefined {
  switch (call.request) {
    case IOMMU_HWPT_ALLOC:
      return allocate(call);
    case IOMMU_HWPT_SET_DIRTY_TRACKING:
      return setTracking(call);
    case IOMMU_HWPT_GET_DIRTY_BITMAP:
      return getBitmap(call);
    case IOMMU_GET_HW_INFO:
      return hardwareInfo(call);
    default:
      return undefined;
  }
}

/** What an id leads to, as the rules have it. */
export function targetOf(objects: Objects, id: number): "ioas" | "hwpt" | "other" | "none" {
  const kind = objects.get(id)?.kind;
  if (kind === undefined) return "none";
  return kind === "ioas" || kind === "hwpt" ? kind : "other";
}

function allocate({ bytes, objects }: IommufdCall): number {
  const { fields } = iommu_hwpt_alloc.over(bytes);
  const { flags, dev_id, pt_id, data_type, data_len, __reserved: reserved } = fields;
  const device = objects.find(dev_id, BoundObject);
  const request = { flags, reserved, dataType: data_type, dataLength: data_len };
  const refusal = firstRefusal(HWPT_ALLOC_RULES, request, {
    device: device !== undefined,
    target: targetOf(objects, pt_id),
    tracksDirty: device?.hardware.tracksDirty === true,
    nests: device?.hardware.nests,
  });
  if (refusal !== undefined) return -refusal.errno;
  const ioas = objects.find(pt_id, IoasObject);
  // Nested page tables, and data for an IOMMU, are not modelled.
  if (ioas === undefined) return -ERRNO.EINVAL;
  if (data_len > 0) return -ERRNO.EOPNOTSUPP;
  const tracksDirty = (flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING) !== 0;
  const hwpt = new HwptObject(ioas, device!.hardware, { isAuto: false, tracksDirty });
  const id = objects.add(hwpt);
  const result = ioas.iopt.addDomain(hwpt);
  if (result < 0) objects.remove(hwpt);
  else fields.out_hwpt_id = id;
  return result;
}

function setTracking({ bytes, objects }: IommufdCall): number {
  const { flags, hwpt_id } = iommu_hwpt_set_dirty_tracking.over(bytes).fields;
  const hwpt = objects.find(hwpt_id, HwptObject);
  const state = { found: hwpt !== undefined, tracksDirty: hwpt?.tracksDirty === true };
  const refusal = firstRefusal(HWPT_SET_RULES, { flags }, state);
  if (refusal !== undefined) return -refusal.errno;
  hwpt!.setTracking((flags & IOMMU_HWPT_DIRTY_TRACKING_ENABLE) !== 0);
  return 0;
}

function getBitmap({ bytes, objects, current }: IommufdCall): number {
  const { fields } = iommu_hwpt_get_dirty_bitmap.over(bytes);
  const { hwpt_id, flags, iova, length: size, page_size: pageSize, data: address } = fields;
  const hwpt = objects.find(hwpt_id, HwptObject);
  const request = { flags, reserved: fields.__reserved, iova, size, pageSize };
  const refusal = firstRefusal(HWPT_GET_RULES, request, {
    found: hwpt !== undefined,
    tracksDirty: hwpt?.tracksDirty === true,
    alignment: hwpt?.ioas.iopt.alignment ?? 1n,
  });
  if (refusal !== undefined) return -refusal.errno;
  const clear = (flags & IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR) === 0;
  hwpt!.read({ iova, size, pageSize, address, clear }, current);
  return 0;
}

function hardwareInfo({ bytes, objects, current }: IommufdCall): number {
  const { fields } = iommu_hw_info.over(bytes);
  const { flags, dev_id, data_len, data_uptr } = fields;
  const hardware = objects.find(dev_id, BoundObject)?.hardware;
  const reserved = fields.__reserved.find((byte) => byte !== 0) ?? 0;
  const refusal = firstRefusal(HW_INFO_RULES, { flags, reserved }, {
    device: hardware !== undefined,
  });
  if (refusal !== undefined) return -refusal.errno;
  const { type, data, tracksDirty } = hardware!;
  const answer = new Uint8Array(data_len);
  answer.set(data.subarray(0, data_len));
  if (data_len > 0 && !current.memory.write(data_uptr, answer)) return -ERRNO.EFAULT;
  fields.data_len = data.length;
  fields.out_data_type = type;
  fields.out_max_pasid_log2 = 0;
  fields.out_capabilities = BigInt(tracksDirty ? IOMMU_HW_CAP_DIRTY_TRACKING : 0);
  return 0;
}
