/**
 * Whom iommufd charges, and when: `user`, `process`, step by step.
 *
 * Runs as a child of account_test.ts, with and without CAP_IPC_LOCK.
 */
import { Iommufd, type PinAccount, type PinSnapshot, pinsOf, VfioError } from "../../../../mod.ts";
import { report } from "../../support/child.ts";
import { PAGE } from "../../support/machine.ts";
import { APERTURE, MockDevice } from "../mock.ts";

const FIRST = APERTURE.start;
const LIMIT = 64n;

function steps(account: PinAccount): Record<string, unknown> {
  using iommufd = Iommufd.open();
  iommufd.account = account;
  using space = iommufd.addressSpace();
  using memory = iommufd.allocate((LIMIT + 1n) * PAGE);
  memory.bytes.fill(1);
  const before: PinSnapshot = pinsOf();
  const seen = (): string => {
    const { locked, pinned } = pinsOf().since(before);
    return `VmLck ${locked / PAGE}, VmPin ${pinned / PAGE} pages`;
  };
  const told: Record<string, unknown> = {};
  using mapping = space.map(memory, { iova: FIRST, size: 8n * PAGE });
  told.mapped = seen();
  using _device = new MockDevice(iommufd, space);
  told.attached = seen();
  {
    using _twice = space.map(memory, { iova: FIRST + 0x100_0000n, size: 8n * PAGE });
    told.mappedTwice = seen();
  }
  {
    using _copy = space.copy(space, mapping, { iova: FIRST + 0x200_0000n });
    told.copied = seen();
  }
  try {
    using _all = space.map(memory, { iova: FIRST + 0x300_0000n, size: (LIMIT - 7n) * PAGE });
    told.overLimit = seen();
  } catch (error) {
    if (!(error instanceof VfioError)) throw error;
    told.overLimit = `${error.code}: ${/RLIMIT_MEMLOCK is 256 KiB/.test(error.message)}`;
  }
  {
    using _rest = space.map(memory, { iova: FIRST + 0x400_0000n, size: (LIMIT - 8n) * PAGE });
    told.atLimit = seen();
  }
  mapping[Symbol.dispose]();
  told.unmapped = seen();
  return told;
}

if (import.meta.main) report({ user: steps("user"), process: steps("process") });
