import { check, PartialUnmapError, VfioError } from "../../../lib/base/error.ts";
import { equal, ok, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

describe("VfioError", () => {
  it("says what could not be done, which call failed and why", () => {
    const error = new VfioError({
      operation: "VFIO_IOMMU_MAP_DMA",
      errno: 12,
      action: "map 64 MiB at iova 0x1000",
      hint: "RLIMIT_MEMLOCK is 64 KiB; raise it",
      details: { size: 64n << 20n },
    });
    equal(
      error.message,
      "Cannot map 64 MiB at iova 0x1000: VFIO_IOMMU_MAP_DMA failed with ENOMEM (12): " +
        "RLIMIT_MEMLOCK is 64 KiB; raise it",
    );
    const { name, operation, errno, code, hint, details } = error;
    equal(
      { name, operation, errno, code, hint, details },
      {
        name: "VfioError",
        operation: "VFIO_IOMMU_MAP_DMA",
        errno: 12,
        code: "ENOMEM",
        hint: "RLIMIT_MEMLOCK is 64 KiB; raise it",
        details: { size: 64n << 20n },
      },
    );
  });

  it("ends without a hint where there is none", () => {
    const error = new VfioError({ operation: "close", errno: 9, action: "close a group" });
    equal(error.message, "Cannot close a group: close failed with EBADF (9)");
    equal([error.hint, error.details, error.cause], [undefined, {}, undefined]);
  });

  it("does not repeat a number that has no name", () => {
    const error = new VfioError({ operation: "ioctl", errno: 999, action: "ask" });
    equal(error.message, "Cannot ask: ioctl failed with errno 999");
  });

  it("keeps its cause", () => {
    const cause = new Error("first");
    equal(new VfioError({ operation: "o", errno: 1, action: "a", cause }).cause, cause);
  });

  it("is an Error, and a partial unmap is one with a name of its own", () => {
    const error = new PartialUnmapError({ operation: "o", errno: 22, action: "unmap" });
    ok(error instanceof VfioError && error instanceof Error);
    equal(error.name, "PartialUnmapError");
    equal(String(error), "PartialUnmapError: Cannot unmap: o failed with EINVAL (22)");
  });
});

describe("check", () => {
  it("gives a result back that is no error", () => {
    equal([check(0, "o", "a"), check(7, "o", "a")], [0, 7]);
  });

  it("throws for -errno", () => {
    const error = throws(() => check(-22, "VFIO_X", "do it", "because"), VfioError);
    equal(error.message, "Cannot do it: VFIO_X failed with EINVAL (22): because");
  });

  it("asks for the hint only on failure, and gives it the number", () => {
    const asked: number[] = [];
    const hint = (errno: number): string => {
      asked.push(errno);
      return "asked";
    };
    check(0, "o", "a", hint);
    equal(asked, []);
    equal(throws(() => check(-13, "o", "a", hint), VfioError).hint, "asked");
    equal(asked, [13]);
  });

  it("leaves the hint out where the function knows none", () => {
    const error = throws(() => check(-1, "o", "a", () => undefined), VfioError);
    equal([error.hint, error.message], [undefined, "Cannot a: o failed with EPERM (1)"]);
  });
});
