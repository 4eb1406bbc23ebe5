/**
 * What a device's own log of its writes refuses, in the order of the kernel; what all features share
 * is tested before that: see `FEATURE_RULES`.
 *
 * @see drivers/vfio/vfio_main.c, vfio_ioctl_device_feature_logging_start
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { type Extent, ExtentSet } from "../base/extent.ts";
import { hex } from "../base/format.ts";
import { ADDRESS_END, describe } from "./range.ts";
import type { Rule, RuleState } from "./refusal.ts";

/** Most ranges of one log. @see LOG_MAX_RANGES, as many as fit into a page of the kernel */
export const LOG_MAX_RANGES = 256;
/** The smallest page of a report. */
export const REPORT_PAGE_MIN = 4096n;

/** The fields of START. */
export interface LogStartRequest {
  /** Bytes of a page of the log: a wish. */
  readonly pageSize: bigint;
  readonly ranges: readonly Extent[];
}

/** The fields of REPORT. */
export interface LogReportRequest extends Extent {
  /** Bytes of a page of the bitmap. */
  readonly pageSize: bigint;
}

/** What the kernel looks at besides the request. */
export interface LogState extends RuleState {
  /** Whether the device keeps a log now; left out where it is not known. */
  readonly isOn?: boolean | undefined;
  /** Whether the kernel has what reports are written with; left out where it is not known. */
  readonly hasBitmaps?: boolean | undefined;
}

const { EINVAL, EFAULT, E2BIG, EOVERFLOW, EOPNOTSUPP } = ERRNO;
const START = "vfio_ioctl_device_feature_logging_start";
const REPORT = "vfio_ioctl_device_feature_logging_report";

type Fault = { readonly rule: "log.align" | "log.wrap" | "log.overlap"; readonly reason: string };

/** Whether a value is a multiple, as the kernel tests it: right for powers of two alone. */
const isAligned = (value: bigint, unit: bigint): boolean =>
  (value & BigInt.asUintN(64, unit - 1n)) === 0n;

/** A range that ends at 2^64 is refused too: its end does not fit into 64 bits. */
const wraps = ({ iova, size }: Extent): boolean => iova + size >= ADDRESS_END;

/** The kernel tests range by range, so what comes first is a matter of all three rules. */
function firstFault({ ranges, pageSize }: LogStartRequest): Fault | undefined {
  const before = new ExtentSet<Extent>();
  for (const range of ranges) {
    const { iova, size } = range;
    if (!isAligned(iova, pageSize) || !isAligned(size, pageSize)) {
      const [name, value] = isAligned(iova, pageSize) ? ["size", size] : ["iova", iova];
      const reason = `the ${name} of a range must be a multiple of the page size ${
        hex(pageSize)
      }; got ${hex(value)}`;
      return { rule: "log.align", reason };
    }
    if (wraps(range)) {
      const reason = `a range must end below 2^64; got ${hex(iova)} + size ${hex(size)}`;
      return { rule: "log.wrap", reason };
    }
    const other = size > 0n ? before.overlapping(iova, size) : undefined;
    if (other !== undefined) {
      const reason = `the range ${describe(range)} lies over the range ${describe(other)}`;
      return { rule: "log.overlap", reason };
    }
    if (size > 0n) before.add(range);
  }
  return undefined;
}

const faultOf = (rule: Fault["rule"]) => (request: LogStartRequest): string | undefined => {
  const fault = firstFault(request);
  return fault?.rule === rule ? fault.reason : undefined;
};

/** The rules of DMA_LOGGING_START. */
export const LOG_START_RULES: readonly Rule<LogStartRequest, LogState>[] = [
  {
    name: "log.none",
    source: START,
    errno: EINVAL,
    about: "START: there is a range",
    test: ({ ranges }) => ranges.length > 0 ? undefined : "a log needs at least one range",
  },
  {
    name: "log.many",
    source: START,
    errno: E2BIG,
    about: "START: at most 256 ranges",
    test: ({ ranges }) =>
      ranges.length <= LOG_MAX_RANGES
        ? undefined
        : `a log has at most ${LOG_MAX_RANGES} ranges; got ${ranges.length}`,
  },
  {
    name: "log.copy",
    source: START,
    errno: EFAULT,
    about: "START: the list of ranges is there",
  },
  {
    name: "log.align",
    source: START,
    errno: EINVAL,
    about: "START: each range begins and ends at a multiple of the page size",
    test: faultOf("log.align"),
  },
  {
    name: "log.wrap",
    source: START,
    errno: EOVERFLOW,
    about: "START: each range ends below 2^64",
    test: faultOf("log.wrap"),
  },
  {
    name: "log.overlap",
    source: START,
    errno: EINVAL,
    about: "START: no range lies over another",
    test: faultOf("log.overlap"),
  },
  {
    name: "log.on",
    source: START,
    errno: EINVAL,
    about: "START: the device keeps no log yet; its driver tests that",
    test: (_, { isOn }) => isOn === true ? "the device keeps a log already" : undefined,
  },
];

/** The rules of DMA_LOGGING_REPORT. */
export const LOG_REPORT_RULES: readonly Rule<LogReportRequest, LogState>[] = [
  {
    name: "log.report-page",
    source: REPORT,
    errno: EINVAL,
    about: "REPORT: the page size is a power of two of at least 4096",
    test: ({ pageSize }) =>
      pageSize >= REPORT_PAGE_MIN && (pageSize & (pageSize - 1n)) === 0n
        ? undefined
        : `the page size must be a power of two of at least ${REPORT_PAGE_MIN}; got ${pageSize}`,
  },
  {
    name: "log.report-wrap",
    source: REPORT,
    errno: EOVERFLOW,
    about: "REPORT: the range ends below 2^64",
    test: (range) =>
      wraps(range)
        ? `the range must end below 2^64; got ${hex(range.iova)} + size ${hex(range.size)}`
        : undefined,
  },
  {
    name: "log.bitmaps",
    source: REPORT,
    errno: EOPNOTSUPP,
    about: "REPORT: the kernel was built with CONFIG_IOMMUFD; v6.6 and older have it without",
    test: (_, { hasBitmaps }) =>
      hasBitmaps === false
        ? "the kernel was built without CONFIG_IOMMUFD, which has what reports are written with"
        : undefined,
  },
  {
    name: "log.off",
    source: REPORT,
    errno: EINVAL,
    about: "REPORT: the device keeps a log; its driver tests that",
    test: (_, { isOn }) => isOn === false ? "the device keeps no log" : undefined,
  },
];
