import { ERRNO } from "../base/errno.ts";
import { ADDRESS_END } from "../rules/range.ts";
import { REPORT_PAGE_MIN } from "../rules/dma_log.ts";
import type { Kernel } from "../sys/kernel.ts";
import {
  vfio_device_feature_dma_logging_control,
  vfio_device_feature_dma_logging_range,
  vfio_device_feature_dma_logging_report,
} from "../uapi/feature.ts";
import {
  VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
  VFIO_DEVICE_FEATURE_GET,
  VFIO_DEVICE_FEATURE_PROBE,
  VFIO_DEVICE_FEATURE_SET,
} from "../uapi/flag.ts";
import { VFIO_DEVICE_FEATURE } from "../uapi/request.ts";
import { emptyFeatureRequest, featureRequest } from "./feature_request.ts";
import type { Extent } from "../base/extent.ts";

/** A device as what asks it needs it. */
export interface FeatureHost {
  readonly kernel: Kernel;
  /** The device's file, while it is open. */
  readonly fd: number;
  readonly name: string;
}

/** Whether a device logs its DMA, or why not. */
export type LogSupport =
  | { readonly works: true }
  | {
    readonly works: false;
    /**
     * - `no-log`: its driver keeps none
     * - `no-iommufd`: the kernel was built without CONFIG_IOMMUFD, and cannot write reports
     * - `pretends`: its driver takes every request and logs nothing, as the sample driver mtty
     * - `in-use`: somebody else has started a log of the device
     */
    readonly reason: "no-log" | "no-iommufd" | "pretends" | "in-use";
    /** The same as a sentence, with what to do. */
    readonly text: string;
    /** What the kernel answered, where it refused. */
    readonly errno?: number;
  };

const SET = VFIO_DEVICE_FEATURE_SET;
const GET = VFIO_DEVICE_FEATURE_GET;
const START = VFIO_DEVICE_FEATURE_DMA_LOGGING_START | SET;
const STOP = VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP | SET;
const REPORT = VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT | GET;

/** The highest page that a log can have: no device writes there. */
const FAR: Extent = { iova: ADDRESS_END - 2n * REPORT_PAGE_MIN, size: REPORT_PAGE_MIN };

/** Makes START; gives what the kernel answered, and the page size that was granted. */
export function requestStart(
  { kernel, fd }: FeatureHost,
  ranges: readonly Extent[],
  pageSize: bigint,
): { readonly result: number; readonly granted: bigint } {
  const list = kernel.allocate(ranges.length * vfio_device_feature_dma_logging_range.size);
  for (const [i, { iova, size }] of ranges.entries()) {
    const at = list.subarray(i * vfio_device_feature_dma_logging_range.size);
    const { fields } = vfio_device_feature_dma_logging_range.over(at);
    fields.iova = iova;
    fields.length = size;
  }
  const { bytes, payload } = featureRequest(START, vfio_device_feature_dma_logging_control);
  payload.fields.page_size = pageSize;
  payload.fields.num_ranges = ranges.length;
  payload.point("ranges", kernel.addressOf(list));
  const result = kernel.ioctlBuffer(fd, VFIO_DEVICE_FEATURE, bytes);
  return { result, granted: payload.fields.page_size };
}

/** Makes STOP. */
export function requestStop({ kernel, fd }: FeatureHost): number {
  return kernel.ioctlBuffer(fd, VFIO_DEVICE_FEATURE, emptyFeatureRequest(STOP).bytes);
}

/** Asks for a report of a page that no log has. */
function farReport({ kernel, fd }: FeatureHost): number {
  const { bytes, payload } = featureRequest(REPORT, vfio_device_feature_dma_logging_report);
  payload.fields.iova = FAR.iova;
  payload.fields.length = FAR.size;
  payload.fields.page_size = REPORT_PAGE_MIN;
  payload.point("bitmap", kernel.addressOf(kernel.allocate(4096)));
  return kernel.ioctlBuffer(fd, VFIO_DEVICE_FEATURE, bytes);
}

/**
 * Finds out whether a device logs its DMA. It asks for a report although no log was started: a driver
 * that keeps logs refuses that, one that only pretends does not.
 */
export function logSupport(host: FeatureHost): LogSupport {
  const { kernel, fd, name } = host;
  const probe = emptyFeatureRequest(START | VFIO_DEVICE_FEATURE_PROBE).bytes;
  const probed = kernel.ioctlBuffer(fd, VFIO_DEVICE_FEATURE, probe);
  if (probed < 0) {
    const text = `the driver of ${name} keeps no log of its DMA; the container's dirty pages, or ` +
      "those of an IOMMU that tracks them, are what is left";
    return { works: false, reason: "no-log", text, errno: -probed };
  }
  const reported = farReport(host);
  if (reported === -ERRNO.EOPNOTSUPP) {
    const text = "this kernel cannot write reports: it was built without CONFIG_IOMMUFD, whose " +
      "code does that since Linux v6.7";
    return { works: false, reason: "no-iommufd", text, errno: ERRNO.EOPNOTSUPP };
  }
  if (reported < 0) return { works: true };
  if (requestStart(host, [FAR], REPORT_PAGE_MIN).result < 0) {
    const text = `somebody else has started a log of ${name}: a device keeps one at a time`;
    return { works: false, reason: "in-use", text };
  }
  requestStop(host);
  const text = `the driver of ${name} answers a report without a log: it takes every request and ` +
    "logs nothing, as the sample driver mtty does";
  return { works: false, reason: "pretends", text };
}
