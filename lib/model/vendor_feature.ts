/**
 * The part of VFIO_DEVICE_FEATURE that the driver of a device decides: its log and its migration.
 *
 * @see drivers/vfio/vfio_main.c, vfio_ioctl_device_feature
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { Extent } from "../base/extent.ts";
import type { Behaviour } from "../rules/behaviour.ts";
import { FEATURE_RULES } from "../rules/device.ts";
import { LOG_MAX_RANGES, LOG_REPORT_RULES, LOG_START_RULES } from "../rules/dma_log.ts";
import { firstRefusal } from "../rules/refusal.ts";
import {
  vfio_device_feature,
  vfio_device_feature_dma_logging_control as log_control,
  vfio_device_feature_dma_logging_range as log_range,
  vfio_device_feature_dma_logging_report as log_report,
  vfio_device_feature_mig_state,
} from "../uapi/feature.ts";
import {
  VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
  VFIO_DEVICE_FEATURE_GET,
  VFIO_DEVICE_FEATURE_MASK,
  VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
  VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
  VFIO_DEVICE_FEATURE_MIGRATION,
  VFIO_DEVICE_FEATURE_PROBE,
  VFIO_DEVICE_FEATURE_SET,
} from "../uapi/flag.ts";
import type { DeviceLog } from "./device_log.ts";
import type { DeviceMigration } from "./device_migration.ts";
import type { IoctlArgument } from "./file.ts";
import { FoundBits } from "./hwpt_dirty.ts";
import type { Process } from "./process.ts";

/** What the driver of a device can. */
export interface VendorFeatures {
  readonly log: DeviceLog | undefined;
  readonly migration: DeviceMigration | undefined;
}

/** Who asks whom. */
export interface FeatureContext {
  readonly behaviour: Behaviour;
  /** Whether the kernel has what reports of a log are written with. */
  readonly hasBitmaps: boolean;
  readonly current: Process;
}

const { EFAULT } = ERRNO;
const GET = VFIO_DEVICE_FEATURE_GET;
const SET = VFIO_DEVICE_FEATURE_SET;
const HEAD = vfio_device_feature.size;

/** A feature: what can be done with it, its bytes behind the head, and what it does. */
interface Feature {
  readonly operations: number;
  readonly payload: number;
  run(payload: Uint8Array, flags: number, context: FeatureContext): number;
}

function readRanges(address: bigint, count: number, current: Process): Extent[] | undefined {
  const list = new Uint8Array(count * log_range.size);
  if (!current.memory.read(address, list)) return undefined;
  return Array.from({ length: count }, (_, i) => {
    const { iova, length } = log_range.over(list.subarray(i * log_range.size)).fields;
    return { iova, size: length };
  });
}

function start(log: DeviceLog, payload: Uint8Array, { current }: FeatureContext): number {
  const { fields } = log_control.over(payload);
  const pageSize = fields.page_size;
  const count = fields.num_ranges;
  // How many there are is tested before they are read.
  const found = count > LOG_MAX_RANGES ? [] : readRanges(fields.ranges, count, current);
  if (found === undefined) return -EFAULT;
  const ranges = count > LOG_MAX_RANGES ? Array(count).fill({ iova: 0n, size: 0n }) : found;
  const refusal = firstRefusal(LOG_START_RULES, { ranges, pageSize }, { isOn: log.isOn });
  if (refusal !== undefined) return -refusal.errno;
  const result = log.start(ranges, pageSize);
  if (result === 0) fields.page_size = log.pageSize;
  return result;
}

function report(log: DeviceLog, payload: Uint8Array, context: FeatureContext): number {
  const { iova, length: size, page_size: pageSize, bitmap } = log_report.over(payload).fields;
  const { hasBitmaps, current } = context;
  const state = { isOn: log.isOn, hasBitmaps };
  const refusal = firstRefusal(LOG_REPORT_RULES, { iova, size, pageSize }, state);
  if (refusal !== undefined) return -refusal.errno;
  const found = new FoundBits({ iova, size, pageSize, address: bitmap, clear: true });
  const result = log.report({ iova, size }, found);
  found.store(current);
  return result;
}

function state(
  migration: DeviceMigration,
  payload: Uint8Array,
  flags: number,
  { files }: Process,
): number {
  const { fields } = vfio_device_feature_mig_state.over(payload);
  const wanted = fields.device_state;
  fields.data_fd = -1;
  if ((flags & GET) !== 0) {
    fields.device_state = migration.state;
    return 0;
  }
  const result = migration.set(wanted);
  if (typeof result === "number") return result;
  if (result !== undefined) fields.data_fd = files.install(result);
  return 0;
}

function putWord(payload: Uint8Array, word: bigint): number {
  new DataView(payload.buffer, payload.byteOffset).setBigUint64(0, word, true);
  return 0;
}

function featureOf(
  number: number,
  { log, migration }: VendorFeatures,
  behaviour: Behaviour,
): Feature | undefined {
  if (log !== undefined) {
    switch (number) {
      case VFIO_DEVICE_FEATURE_DMA_LOGGING_START: {
        const run: Feature["run"] = (payload, _, context) => start(log, payload, context);
        return { operations: SET, payload: log_control.size, run };
      }
      case VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP:
        return { operations: SET, payload: 0, run: () => (log.stop(), 0) };
      case VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT: {
        const run: Feature["run"] = (payload, _, context) => report(log, payload, context);
        return { operations: GET, payload: log_report.size, run };
      }
    }
  }
  if (migration === undefined) return undefined;
  switch (number) {
    case VFIO_DEVICE_FEATURE_MIGRATION: {
      const run: Feature["run"] = (payload) => putWord(payload, BigInt(migration.flags));
      return { operations: GET, payload: 8, run };
    }
    case VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE: {
      const run: Feature["run"] = (payload, flags, { current }) =>
        state(migration, payload, flags, current);
      return { operations: GET | SET, payload: 8, run };
    }
    case VFIO_DEVICE_FEATURE_MIG_DATA_SIZE: {
      if (behaviour.firstMigration === true) return undefined;
      const run: Feature["run"] = (payload) => putWord(payload, BigInt(migration.left));
      return { operations: GET, payload: 8, run };
    }
    default:
      return undefined;
  }
}

/** Answers a request for a feature that the driver has: 0 or -errno; undefined for any other. */
export function vendorFeature(
  argument: Uint8Array,
  vendor: VendorFeatures | undefined,
  context: FeatureContext,
): number | undefined {
  if (vendor === undefined || argument.length < HEAD) return undefined;
  const { behaviour } = context;
  const { argsz, flags } = vfio_device_feature.over(argument).fields;
  const feature = featureOf(flags & VFIO_DEVICE_FEATURE_MASK, vendor, behaviour);
  if (feature === undefined) return undefined;
  const refusal = firstRefusal(FEATURE_RULES, { argsz, flags }, { ...feature, behaviour });
  if (refusal !== undefined) return -refusal.errno;
  if ((flags & VFIO_DEVICE_FEATURE_PROBE) !== 0) return 0;
  if (argument.length < HEAD + feature.payload) return -EFAULT;
  return feature.run(argument.subarray(HEAD), flags, context);
}

/** The range of a request that reads a log; undefined for any other. */
export function reportRange(argument: IoctlArgument): Extent | undefined {
  if (!(argument instanceof Uint8Array) || argument.length < HEAD + log_report.size) {
    return undefined;
  }
  const { flags } = vfio_device_feature.over(argument).fields;
  if (flags !== ((VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT | GET) >>> 0)) return undefined;
  const { iova, length } = log_report.over(argument.subarray(HEAD)).fields;
  return { iova, size: length };
}
