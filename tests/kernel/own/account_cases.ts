/** The accounts of a container over iommufd, step by step, on any kernel with two devices of vfio-pci. */

import { IommufdContainer, type Kernel, type PinAccount, VfioError } from "../../../mod.ts";
import { EDU, EDU2, LOW, PAGE } from "../support/machine.ts";

/** Pages that may be locked where a limit counts. */
export const LIMIT = 64n;

/** What was seen: text, so that a child can tell it. */
export interface Seen {
  /** Kind of operation, then pages of VmPin and of VmLck. */
  readonly lines: readonly string[];
  /** Where the rules and the counters differ: nowhere. */
  readonly differences: readonly unknown[];
  /** How many of five mappings of 16 pages fit, by the forecast and by the kernel, and what stops both. */
  readonly fits: readonly unknown[];
}

function life(kernel: Kernel, account: PinAccount): Pick<Seen, "lines" | "differences"> {
  using container = IommufdContainer.open({ kernel, account });
  const ledger = container.keepLedger();
  using memory = container.allocate(16n * PAGE);
  memory.bytes.fill(1);
  const first = container.map(memory, { iova: LOW, size: 8n * PAGE });
  const one = container.attach(EDU);
  using _second = container.map(memory, { iova: LOW + 64n * PAGE, offset: 8n * PAGE });
  const two = container.attach(EDU2);
  first[Symbol.dispose]();
  one[Symbol.dispose]();
  two[Symbol.dispose]();
  container.unmapAll();
  return {
    lines: ledger.entries.map(({ kind, charged: { pinned, locked } }) =>
      `${kind} ${pinned / PAGE} ${locked / PAGE}`
    ),
    differences: ledger.differences,
  };
}

function fits(kernel: Kernel, account: PinAccount): unknown[] {
  using container = IommufdContainer.open({ kernel, account });
  using _member = container.attach(EDU);
  using memory = container.allocate(16n * PAGE);
  memory.bytes.fill(1);
  const { mappings, stop } = container.forecast([{ size: 16n * PAGE, count: 5 }]);
  let made = 0;
  try {
    for (; made < 5; made += 1) container.map(memory);
  } catch (error) {
    if (!(error instanceof VfioError)) throw error;
    return [mappings, stop?.code, made, error.code];
  }
  return [mappings, made];
}

/** What a script sees of one account. */
export function seenBy(kernel: Kernel, account: PinAccount): Seen {
  return { ...life(kernel, account), fits: fits(kernel, account) };
}

/** The ledger where the process is charged with what is pinned, or is not. */
export const ledgerLines = (counted: boolean): string[] =>
  ([
    ["map", 0], //             nothing before there is a device
    ["page-table", 8], //      the first one
    ["map", 8],
    ["page-table", 0], //      the second one shares the page table
    ["unmap", -8],
    ["page-table-gone", 0],
    ["page-table-gone", -8],
    ["unmap", 0],
  ] as const).map(([kind, pages]) => `${kind} ${pages} ${counted ? pages : 0}`);
