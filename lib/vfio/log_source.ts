import { ERRNO } from "../base/errno.ts";
import { check } from "../base/error.ts";
import type { Extent } from "../base/extent.ts";
import type { DirtyLabel } from "../dirty/label.ts";
import type { BitmapTarget, DirtySource, ReadRequest } from "../dirty/source.ts";
import { describe } from "../rules/range.ts";
import { vfio_device_feature_dma_logging_report } from "../uapi/feature.ts";
import { VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, VFIO_DEVICE_FEATURE_GET } from "../uapi/flag.ts";
import { VFIO_DEVICE_FEATURE } from "../uapi/request.ts";
import { featureRequest } from "./feature_request.ts";
import { type FeatureHost, requestStop } from "./log_support.ts";

/** REPORT knows no bound; this is one that memory for a bitmap is likely to be there for. */
const MAX_BITMAP = 1 << 28;

/**
 * Why REPORT failed, and what is to be done: what it took until then is lost.
 *
 * @see drivers/vfio/pci/mlx5/cmd.c, mlx5vf_tracker_read_and_clear
 */
function explain(errno: number): string {
  switch (errno) {
    case ERRNO.EINVAL:
      return "another user of the device stopped its log; take every page of it as dirty, dispose " +
        "the log and start another";
    case ERRNO.EIO:
    case ERRNO.ENOTCONN:
      return "the device has lost its log, because it was reset or could not keep up; take every " +
        "page of it as dirty, dispose the log and start another";
    case ERRNO.ENOMEM:
      return "the kernel has no memory for a report; the next drain reports every page as dirty";
    default:
      return "the device may have lost what it logged: take every page of the log as dirty; the " +
        "next drain reports them so";
  }
}

/**
 * The log that a device keeps of its own writes, after START.
 *
 * @see drivers/vfio/vfio_main.c, vfio_ioctl_device_feature_logging_report
 */
export class LogSource implements DirtySource {
  /** "log". */
  readonly name = "log";
  /** Bytes of a page of the log: what the device granted. */
  readonly pageSize: bigint;
  /** Most bytes of bitmap in one read. */
  readonly maxBitmapBytes: number = MAX_BITMAP;
  /** Drivers may refuse to report what they do not log. */
  readonly spansGaps = false;
  readonly #host: FeatureHost;
  readonly #report = featureRequest(
    VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT | VFIO_DEVICE_FEATURE_GET,
    vfio_device_feature_dma_logging_report,
  );

  /** Made by `device.logDma`, which has started the log: START tells the page size. */
  constructor(host: FeatureHost, pageSize: bigint) {
    this.#host = host;
    this.pageSize = pageSize;
  }

  /** Nothing: the log was started before its page size was known. */
  start(): void {}

  /** STOP. */
  stop(): void {
    const { name } = this.#host;
    check(requestStop(this.#host), "VFIO_DEVICE_FEATURE", `stop the DMA log of ${name}`);
  }

  /** REPORT. */
  reading({ iova, size }: Extent, target: BitmapTarget): ReadRequest {
    const { bytes, payload } = this.#report;
    payload.fields.iova = iova;
    payload.fields.length = size;
    payload.fields.page_size = this.pageSize;
    payload.point("bitmap", target);
    return { fd: this.#host.fd, request: VFIO_DEVICE_FEATURE, argument: bytes };
  }

  /** What REPORT answered. */
  checkRead(result: number, range: Extent): void {
    const { name } = this.#host;
    check(
      result,
      "VFIO_DEVICE_FEATURE",
      `read the DMA log of ${name} for ${describe(range)}`,
      explain,
    );
  }

  /** The device itself says what it wrote. */
  label(): DirtyLabel {
    return "written";
  }

  /** Says nothing new. */
  sawClean(): DirtyLabel {
    return "written";
  }
}
