/**
 * What DMA logging answers on a driver that keeps a log: requests that nothing checks.
 *
 * @see drivers/vfio/vfio_main.c, vfio_ioctl_device_feature_logging_report
 */
import { type Extent, rawLinux as linux } from "../../../mod.ts";
import { featureRequest } from "../../../lib/vfio/feature_request.ts";
import { requestStart, requestStop } from "../../../lib/vfio/log_support.ts";
import { vfio_device_feature_dma_logging_report } from "../../../lib/uapi/feature.ts";
import {
  VFIO_DEVICE_FEATURE,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
  VFIO_DEVICE_FEATURE_GET,
} from "../../../lib/uapi/mod.ts";
import { equal } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { LOW, PAGE } from "../support/machine.ts";
import { answer } from "../support/raw.ts";
import { Scene } from "../vendor/scene.ts";
import { HUGE, LOGS, range } from "./scene.ts";

const REPORT = VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT | VFIO_DEVICE_FEATURE_GET;
const TOP = 1n << 64n;

/** A device whose log is asked by hand. */
class RawLog implements Disposable {
  readonly scene = new Scene({ device: LOGS });
  readonly bitmap = linux.allocate(8192);

  start(ranges: readonly Extent[], pageSize = PAGE): string {
    const { result, granted } = requestStart(this.#host, ranges, pageSize);
    return result < 0 ? answer(result) : `OK ${granted}`;
  }

  stop(): string {
    return answer(requestStop(this.#host));
  }

  report({ iova, size }: Extent, pageSize = PAGE, address?: bigint): string {
    const { bytes, payload } = featureRequest(REPORT, vfio_device_feature_dma_logging_report);
    Object.assign(payload.fields, { iova, length: size, page_size: pageSize });
    payload.point("bitmap", { address: address ?? linux.addressOf(this.bitmap).address });
    return answer(linux.ioctlBuffer(this.#host.fd, VFIO_DEVICE_FEATURE, bytes));
  }

  /** The first 64 bits of the bitmap, which it clears. */
  bits(): bigint {
    const [first = 0n] = new BigUint64Array(this.bitmap.buffer, 0, 1);
    this.bitmap.fill(0);
    return first;
  }

  get #host(): { kernel: typeof linux; fd: number; name: string } {
    return { kernel: linux, fd: this.scene.vendor.device.fd, name: LOGS };
  }

  [Symbol.dispose](): void {
    this.scene[Symbol.dispose]();
  }
}

describe("DMA logging of a driver that logs, raw", () => {
  it("one log at a time; STOP is idempotent; a report needs a log", () => {
    using log = new RawLog();
    equal(log.report(range(0, 64)), "EINVAL");
    equal(log.stop(), "OK");
    equal(log.start([range(0, 64)]), "OK 4096");
    equal(log.start([range(0, 64)]), "EINVAL");
    equal(log.report(range(0, 64)), "OK");
    equal([log.stop(), log.stop()], ["OK", "OK"]);
    equal(log.report(range(0, 64)), "EINVAL");
    equal(log.start([]), "EINVAL");
    equal(log.start([{ iova: TOP - PAGE, size: PAGE }]), "EOVERFLOW");
  });

  it("START is EOPNOTSUPP where the device has no room for so many addresses", () => {
    using log = new RawLog();
    log.scene.vendor.logSpace(0n, 64n * PAGE);
    equal(log.start([range(0, 65)]), "EOPNOTSUPP");
    equal(log.report(range(0, 64)), "EINVAL", "there is no log");
    equal(log.start([range(0, 64)]), "OK 4096");
    log.scene.vendor.logSpace(0n, PAGE);
    equal(log.start([range(0, 65)]), "EINVAL", "one log at a time comes first");
  });

  it("grants the nearest page size that the device has", () => {
    using log = new RawLog();
    const all = [{ iova: 0n, size: 1n << 32n }];
    for (const [wish, granted] of [[2048n, PAGE], [0x8000n, 0x8000n], [1n << 30n, HUGE]] as const) {
      equal(log.start(all, wish), `OK ${granted}`);
      log.stop();
    }
  });

  it("tests page size, end and then the log", () => {
    using log = new RawLog();
    equal(log.report({ iova: TOP - PAGE, size: 2n * PAGE }, 2048n), "EINVAL");
    equal(log.report({ iova: TOP - PAGE, size: PAGE }), "EOVERFLOW");
    equal(log.report({ iova: TOP - 2n * PAGE, size: PAGE }), "EINVAL");
  });

  it("only sets bits, from the first page of the request on", () => {
    using log = new RawLog();
    log.start([range(0, 64)]);
    log.scene.vendor.dirty(LOW + 3n * PAGE, 2);
    log.bitmap[0] = 0x80;
    equal(log.report(range(2, 8)), "OK");
    equal(log.bits(), 0b1000_0110n);
    equal(log.report(range(2, 8)), "OK");
    equal(log.bits(), 0n, "taken");
  });

  it("makes bits of other pages than the log's: larger ones hold any, smaller ones are all set", () => {
    using log = new RawLog();
    log.start([range(0, 64)]);
    log.scene.vendor.dirty(LOW + 5n * PAGE);
    log.scene.vendor.dirty(LOW + 9n * PAGE);
    equal(log.report(range(0, 64), 4n * PAGE), "OK");
    equal(log.bits(), 0b110n);
    log.stop();
    log.start([range(0, 64)], 4n * PAGE);
    log.scene.vendor.dirty(LOW + 5n * PAGE);
    equal(log.report(range(0, 64)), "OK");
    equal(log.bits(), 0xf0n);
  });

  it("takes all of a page of the log, where a part of it is asked for", () => {
    using log = new RawLog();
    log.start([{ iova: 0n, size: 16n * HUGE }], HUGE);
    log.scene.vendor.dirty(HUGE);
    equal(log.report({ iova: HUGE + PAGE, size: PAGE }), "OK");
    equal(log.bits(), 1n);
    equal(log.report({ iova: HUGE, size: HUGE }), "OK");
    equal(log.bits(), 0n, "the other 511 pages are lost");
  });

  it("answers 0 for a bitmap that is not there, and the bits are lost", () => {
    using log = new RawLog();
    log.start([range(0, 64)]);
    for (const address of [0n, 0x1000n]) {
      log.scene.vendor.dirty(LOW, 4);
      equal(log.report(range(0, 64), PAGE, address), "OK");
      equal(log.report(range(0, 64)), "OK");
      equal(log.bits(), 0n);
    }
  });

  it("knows pages that no log has as clean, and takes a length of 0", () => {
    using log = new RawLog();
    log.start([range(0, 4), range(8, 4)]);
    equal(log.scene.vendor.dirty(LOW, 12), 8);
    equal(log.report(range(4, 4)), "OK");
    equal(log.bits(), 0n);
    equal(log.report(range(0, 0)), "OK");
    equal(log.report(range(0, 12)), "OK");
    equal(log.bits(), 0xf0fn);
  });
});
