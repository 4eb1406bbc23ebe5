/** The accounts of a container over iommufd, step by step, on any kernel with two devices of vfio-pci. */

import {
  Iommufd,
  IommufdContainer,
  type Kernel,
  type PinAccount,
  pinsOf,
  VfioError,
} from "../../../mod.ts";
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
  /** What an attach and a page table answer where a page too many is mapped, and what stays of it. */
  readonly over: readonly string[];
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

/** What a refusal says, in short. */
function told(body: () => unknown): string {
  try {
    body();
    return "OK";
  } catch (error) {
    if (!(error instanceof VfioError)) throw error;
    const { operation, code, message } = error;
    return `${operation} ${code}${
      /RLIMIT_MEMLOCK is 256 KiB/.test(message) ? ", limit named" : ""
    }`;
  }
}

/** The memory limit is met where a device or a page table comes, not where memory is mapped. */
function over(kernel: Kernel, account: PinAccount): string[] {
  using iommufd = Iommufd.open({ kernel });
  iommufd.account = account;
  using device = iommufd.bind(EDU);
  using space = iommufd.addressSpace();
  using memory = iommufd.allocate((LIMIT + 1n) * PAGE);
  memory.bytes.fill(1);
  const before = pinsOf("self", kernel);
  const answers = [space.map(memory, { iova: LOW, size: LIMIT * PAGE })].map(() => "OK");
  using _one = space.map(memory, { iova: LOW + LIMIT * PAGE, offset: LIMIT * PAGE });
  answers.push(told(() => void device.attach(space)));
  answers.push(told(() => void space.pageTable(device)));
  answers.push(`${pinsOf("self", kernel).since(before).pinned / PAGE} pages`);
  answers.push(`${device.attachment === undefined ? "not " : ""}attached`);
  return answers;
}

/** What `over` sees where there is a limit, and where there is none. */
export const OVER: Readonly<Record<"limited" | "free", readonly string[]>> = {
  limited: [
    "OK",
    "VFIO_DEVICE_ATTACH_IOMMUFD_PT ENOMEM, limit named",
    "IOMMU_HWPT_ALLOC ENOMEM, limit named",
    "0 pages",
    "not attached",
  ],
  free: ["OK", "OK", "OK", `${LIMIT + 1n} pages`, "attached"],
};

/** What a script sees of one account. */
export function seenBy(kernel: Kernel, account: PinAccount): Seen {
  const [lived, fit] = [life(kernel, account), fits(kernel, account)];
  return { ...lived, fits: fit, over: over(kernel, account) };
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
