/** What a process may map under RLIMIT_MEMLOCK; the limit in pages is its argument. */

import { Container, type HostMemory, type MapOptions, rawLinux as linux } from "../../../mod.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ } from "../../../lib/sys/constant.ts";
import { report } from "./child.ts";
import { EDU, LOW, MiB, PAGE } from "./machine.ts";
import { answer, RawContainer } from "./raw.ts";

const MAP_LOCKED = 0x2000;
const pages = BigInt(Deno.args[0] ?? 64);

/** Raw: one page more than the limit, the limit, and one page beside it. */
function raw(): string[] {
  using container = new RawContainer();
  const size = (pages + 1n) * PAGE;
  const vaddr = linux.mmap(size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n);
  if (typeof vaddr === "number") throw new Error(`mmap: ${vaddr}`);
  const request = { argsz: 32, flags: 1, vaddr, iova: LOW };
  const seen = [
    container.map({ ...request, iova: LOW + 2n * MiB, size }),
    container.map({ ...request, size: pages * PAGE }),
    container.map({ ...request, iova: LOW + MiB, size: PAGE }),
  ];
  linux.munmap(vaddr, size);
  return seen.map(answer);
}

/** Maps for a moment: how much is locked then, or why it cannot be. */
function attempt(container: Container, memory: HostMemory, options: MapOptions): string {
  try {
    using _mapping = container.map(memory, options);
    return `${container.pins().locked} bytes locked`;
  } catch (error) {
    return String(error);
  }
}

function friendly(): Record<string, unknown> {
  using container = Container.open();
  using _group = container.attach(EDU);
  using memory = container.allocate((pages + 1n) * PAGE);
  const before = container.pins();
  const tried = (options: MapOptions): string => attempt(container, memory, options);
  const above = tried({ iova: LOW });
  const afterAbove = container.pins().since(before);
  let at, oneMore;
  {
    using _whole = container.map(memory, { iova: LOW, size: pages * PAGE });
    at = container.pins().since(before).locked;
    oneMore = tried({ iova: LOW + MiB, size: PAGE });
  }
  let twice;
  {
    // Half the limit twice: the same memory counts each time.
    const size = pages / 2n * PAGE;
    using _one = container.map(memory, { iova: LOW, size });
    using _two = container.map(memory, { iova: LOW + MiB, size });
    twice = tried({ iova: LOW + 2n * MiB, size: PAGE });
  }
  // The last piece does not fit, and the first one goes back.
  const pieces = tried({ iova: LOW, pieceSize: 64n * PAGE });
  const { ipcLock, limit } = before;
  const afterPieces = container.pins().since(before);
  return { ipcLock, limit, above, afterAbove, at, oneMore, twice, pieces, afterPieces };
}

/** A page that the process locked by itself counts as well. */
function withLockedPage(): Record<string, unknown> {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED;
  const locked = linux.mmap(PAGE, PROT_READ, flags, -1, 0n);
  if (typeof locked === "number") throw new Error(`mmap: ${locked}`);
  try {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(pages * PAGE);
    const start = container.pins().locked;
    const whole = attempt(container, memory, { iova: LOW });
    using _less = container.map(memory, { iova: LOW, size: (pages - 1n) * PAGE });
    return { start, whole, end: container.pins().locked };
  } finally {
    linux.munmap(locked, PAGE);
  }
}

if (import.meta.main) {
  report({ raw: raw(), friendly: friendly(), lockedPage: withLockedPage() });
}
