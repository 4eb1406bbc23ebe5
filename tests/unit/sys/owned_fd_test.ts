import { VfioError } from "../../../lib/base/error.ts";
import type { Kernel } from "../../../lib/sys/kernel.ts";
import { OwnedFd } from "../../../lib/sys/owned_fd.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe, it } from "../../std/testing.ts";

/** A kernel that only closes, and remembers what. */
function closer(answer = 0): { kernel: Kernel; closed: number[] } {
  const closed: number[] = [];
  const close = (fd: number): number => {
    closed.push(fd);
    return answer;
  };
  return { kernel: { close } as unknown as Kernel, closed };
}

describe("OwnedFd", () => {
  it("closes once, at the end of its scope", () => {
    const { kernel, closed } = closer();
    {
      using file = new OwnedFd(kernel, 7, "group 12");
      equal([file.fd, file.isOpen, closed], [7, true, []]);
    }
    equal(closed, [7]);
  });

  it("does nothing when it is disposed again", () => {
    const { kernel, closed } = closer();
    const file = new OwnedFd(kernel, 7, "group 12");
    file[Symbol.dispose]();
    file[Symbol.dispose]();
    equal([closed, file.isOpen], [[7], false]);
  });

  it("does not give the number away after that: it may be another file's by then", () => {
    const { kernel } = closer();
    const file = new OwnedFd(kernel, 7, "group 12");
    file[Symbol.dispose]();
    throws(() => file.fd, ReferenceError, "Cannot use group 12: it is closed");
  });

  it("owns descriptor 0 too", () => {
    const { kernel, closed } = closer();
    const file = new OwnedFd(kernel, 0, "input");
    equal([file.fd, file.isOpen], [0, true]);
    file[Symbol.dispose]();
    equal(closed, [0]);
  });

  it("says when the kernel could not close, and does not try again", () => {
    const { kernel, closed } = closer(-9);
    const file = new OwnedFd(kernel, 7, "group 12");
    const error = throws(() => file[Symbol.dispose](), VfioError);
    equal(error.message, "Cannot close group 12: close failed with EBADF (9)");
    file[Symbol.dispose]();
    equal(closed, [7]);
  });
});
