/**
 * The ledger and the forecast of an iommufd on the real kernel: what the rules say beside VmPin and VmLck.
 *
 * Runs as a child of account_test.ts, with and without CAP_IPC_LOCK.
 */
import { Iommufd, type PinAccount, VfioError } from "../../../../mod.ts";
import { report } from "../../support/child.ts";
import { PAGE } from "../../support/machine.ts";
import { APERTURE, MockDevice } from "../mock.ts";

const AT = APERTURE.start;

function life(account: PinAccount): unknown {
  using iommufd = Iommufd.open();
  iommufd.account = account;
  const ledger = iommufd.keepLedger();
  using first = iommufd.addressSpace();
  using device = new MockDevice(iommufd, first);
  const [space, other] = [iommufd.addressSpace(), iommufd.addressSpace()];
  using memory = iommufd.allocate(64n * PAGE);
  memory.bytes.fill(1);
  const mapping = space.map(memory, { iova: AT, size: 8n * PAGE });
  const table = space.pageTable(device);
  space.map(memory, { size: 8n * PAGE });
  const copy = space.copy(space, mapping, { offset: PAGE, size: 4n * PAGE });
  other.copy(space, mapping, { iova: AT, size: 2n * PAGE });
  other.pageTable(device, { dirtyTracking: true });
  mapping[Symbol.dispose]();
  copy[Symbol.dispose]();
  table[Symbol.dispose]();
  other[Symbol.dispose]();
  space[Symbol.dispose]();
  return {
    lines: ledger.entries.map(({ kind, charged: { pinned, locked } }) =>
      `${kind} ${pinned / PAGE} ${locked / PAGE}`
    ),
    differences: ledger.differences,
    reckoned: Object.values(ledger.reckoned).map(String),
  };
}

/** How many of five mappings of 16 pages fit, by the forecast and by the kernel. */
function fits(account: PinAccount): unknown {
  using iommufd = Iommufd.open();
  iommufd.account = account;
  using first = iommufd.addressSpace();
  using device = new MockDevice(iommufd, first);
  using space = iommufd.addressSpace();
  using _table = space.pageTable(device);
  using memory = iommufd.allocate(16n * PAGE);
  const plan = [{ size: 16n * PAGE, count: 5 }];
  const { mappings, stop } = space.forecast(plan);
  let made = 0;
  try {
    for (; made < 5; made += 1) space.map(memory);
  } catch (error) {
    if (!(error instanceof VfioError)) throw error;
    return { mappings, code: stop?.code, made, answered: error.code };
  }
  return { mappings, made };
}

if (import.meta.main) {
  report({
    user: life("user"),
    process: life("process"),
    fits: { user: fits("user"), process: fits("process") },
  });
}
