/**
 * What DMA logging answers to bad input, on the sample device mtty: it takes every request and logs
 * nothing, which shows the kernel's own checks alone.
 *
 * @see drivers/vfio/vfio_main.c, vfio_ioctl_device_feature_logging_start
 */
import {
  Container,
  createMdev,
  Iommufd,
  NoDmaLogError,
  rawLinux as linux,
  removeMdev,
} from "../../../mod.ts";
import {
  VFIO_DEVICE_FEATURE,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
  VFIO_DEVICE_FEATURE_GET,
  VFIO_DEVICE_FEATURE_PROBE,
  VFIO_DEVICE_FEATURE_SET,
} from "../../../lib/uapi/mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { EDU, PAGE } from "../support/machine.ts";
import { answer } from "../support/raw.ts";
import { refused } from "../support/refused.ts";

const UUID = "6d747479-0000-4000-8000-000000000001";
const GET = VFIO_DEVICE_FEATURE_GET;
const SET = VFIO_DEVICE_FEATURE_SET;
const PROBE = VFIO_DEVICE_FEATURE_PROBE;
const START = VFIO_DEVICE_FEATURE_DMA_LOGGING_START;
const STOP = VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP;
const REPORT = VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT;

/** A FEATURE request with a payload of 64-bit words. */
function feature(
  device: number,
  flags: number,
  payload: readonly bigint[] = [],
  argsz?: number,
): string {
  const bytes = new Uint8Array(8 + payload.length * 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, argsz ?? bytes.length, true);
  view.setUint32(4, flags, true);
  payload.forEach((word, i) => view.setBigUint64(8 + i * 8, word, true));
  return answer(linux.ioctlBuffer(device, VFIO_DEVICE_FEATURE, bytes));
}

/** START over ranges of [iova, length]. */
function start(
  device: number,
  ranges: readonly [bigint, bigint][],
  pageSize: bigint = PAGE,
): string {
  const list = linux.allocate(Math.max(16, ranges.length * 16));
  new BigUint64Array(list.buffer, 0, ranges.length * 2).set(ranges.flat());
  const { address } = linux.addressOf(list);
  const text = feature(device, START | SET, [pageSize, BigInt(ranges.length), address]);
  return list.length > 0 ? text : "no list"; // the list lives until here
}

function withMtty(body: (device: number) => void): void {
  createMdev("mtty", "mtty-1", UUID);
  try {
    using iommufd = Iommufd.open();
    using device = iommufd.bind(UUID);
    body(device.fd);
  } finally {
    removeMdev(UUID);
  }
}

describe("device.logDma", () => {
  it("recognises mtty, which pretends, and the device of vfio-pci, which does not", () => {
    const ranges = [{ iova: 0n, size: PAGE }];
    createMdev("mtty", "mtty-1", UUID);
    try {
      using container = Container.open();
      using group = container.attach(UUID);
      using device = group.device();
      throws(() => device.logDma({ ranges }), NoDmaLogError, /logs nothing, as the sample .* mtty/);
      const support = device.dmaLogSupport();
      equal(support.works ? "works" : support.reason, "pretends");
    } finally {
      removeMdev(UUID);
    }
    using container = Container.open();
    using group = container.attach(EDU);
    using device = group.device();
    refused(() => device.logDma({ ranges }), {
      code: "ENOTTY",
      operation: "VFIO_DEVICE_FEATURE",
      text: "keeps no log of its DMA",
    });
  });
});

describe("DMA logging of mtty, raw", () => {
  it("a device whose driver logs nothing: ENOTTY, also for PROBE", () => {
    using iommufd = Iommufd.open();
    using device = iommufd.bind(EDU);
    for (const flags of [START | SET, STOP | SET, REPORT | GET]) {
      equal(feature(device.fd, flags, [0n, 0n, 0n, 0n]), "ENOTTY");
      equal(feature(device.fd, flags | PROBE), "ENOTTY");
    }
  });

  it("PROBE says what can be set and read", () => {
    withMtty((device) => {
      equal(feature(device, START | SET | PROBE), "OK");
      equal(feature(device, START | GET | PROBE), "EINVAL");
      equal(feature(device, REPORT | GET | PROBE), "OK");
      equal(feature(device, 0x7777 | GET | PROBE), "ENOTTY");
      equal(feature(device, STOP | GET | SET), "EINVAL", "both without PROBE");
      equal(feature(device, STOP), "EINVAL", "neither");
      equal(feature(device, STOP | SET | 1 << 19), "EINVAL", "an unknown flag");
      equal(feature(device, STOP | SET, [], 7), "EINVAL", "argsz");
      equal(feature(device, 0x7777 | SET), "ENOTTY", "a feature that nobody has");
      equal(feature(device, REPORT | GET, [0n, PAGE]), "EINVAL", "a short payload");
      const nowhere = linux.ioctlValue(device, VFIO_DEVICE_FEATURE, 0x1000n);
      equal(answer(nowhere), "EFAULT", "an argument that is not there");
    });
  });

  it("START tests ranges", () => {
    withMtty((device) => {
      equal(start(device, [[0n, PAGE]]), "OK");
      equal(start(device, []), "EINVAL");
      const many = (count: number): [bigint, bigint][] =>
        Array.from({ length: count }, (_, i) => [BigInt(i) * 2n * PAGE, PAGE]);
      equal(start(device, many(256)), "OK");
      equal(start(device, many(257)), "E2BIG");
      equal(start(device, [[1n, PAGE]]), "EINVAL");
      equal(start(device, [[0n, PAGE + 1n]]), "EINVAL");
      equal(start(device, [[0n, 2n * PAGE], [PAGE, PAGE]]), "EINVAL", "an overlap");
      equal(start(device, [[(1n << 64n) - PAGE, 2n * PAGE]]), "EOVERFLOW");
      equal(start(device, [[(1n << 64n) - PAGE, PAGE]]), "EOVERFLOW", "a range up to 2^64");
      equal(feature(device, START | SET, [PAGE, 1n, 0x1000n]), "EFAULT");
      equal(feature(device, START | SET, [PAGE]), "EINVAL", "a short payload");
      // What the kernel takes, and device.logDma does not.
      equal(start(device, [[PAGE, 0n]]), "OK", "a range of no bytes");
      equal(start(device, [[0n, 0n]], 0n), "OK", "a page size of 0, of nothing");
      equal(start(device, [[PAGE, PAGE]], 0n), "EINVAL", "a page size of 0");
      equal(feature(device, STOP | SET), "OK");
      equal(feature(device, STOP | SET), "OK", "twice");
    });
  });

  it("REPORT tests page size and range, and tells nothing: mtty only pretends", () => {
    withMtty((device) => {
      const bitmap = linux.allocate(4096);
      const { address } = linux.addressOf(bitmap);
      const report = (iova: bigint, length: bigint, pageSize: bigint): string =>
        feature(device, REPORT | GET, [iova, length, pageSize, address]);
      equal(report(0n, PAGE, 2048n), "EINVAL");
      equal(report(0n, PAGE, 3n * PAGE), "EINVAL");
      equal(report((1n << 64n) - PAGE, 2n * PAGE, PAGE), "EOVERFLOW");
      equal(report(0n, PAGE, PAGE), "OK", "not started");
      equal(start(device, [[0n, 16n * PAGE]]), "OK");
      equal(report(0n, 16n * PAGE, PAGE), "OK");
      equal(bitmap.every((byte) => byte === 0), true);
    });
  });
});
