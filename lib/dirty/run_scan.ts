import type { Bits } from "./arena.ts";
import type { EdgeScan } from "./kernels.ts";
import type { DirtyRun } from "./run.ts";

/** What the runs of a window are found in. */
export interface RunInit {
  readonly bits: Bits;
  /** How many bits belong to the window. */
  readonly pages: number;
  /** Address of the first page. */
  readonly iova: bigint;
  /** Bytes of a page, a power of two. */
  readonly pageSize: bigint;
  /** Throws when the bits are no longer those of the window. */
  check(): void;
}

/** Looks through a window once, batch by batch, with an area of its own until it ends. */
class RunScan {
  readonly #init: RunInit;
  #scan: EdgeScan | undefined;
  #isDone = false;

  constructor(init: RunInit) {
    this.#init = init;
  }

  /** Finds the next runs; undefined behind the last. */
  next(): { readonly scan: EdgeScan; readonly edges: number } | undefined {
    if (this.#isDone) return undefined;
    this.#init.check();
    const scan = this.#scan ??= this.#init.bits.open(this.#init.pages);
    const edges = scan.next();
    if (edges > 0) return { scan, edges };
    this.close();
    return undefined;
  }

  /** Gives the area back; a stale one is somebody else's by now. */
  close(): void {
    this.#isDone = true;
    const scan = this.#scan;
    this.#scan = undefined;
    if (scan === undefined) return;
    try {
      this.#init.check();
    } catch {
      return;
    }
    this.#init.bits.close(scan);
  }
}

/** The runs of a window as objects with bigints, which the scan kernel has stored. */
export class RunIterator extends Iterator<DirtyRun, undefined, unknown> {
  readonly #init: RunInit;
  readonly #scan: RunScan;
  readonly #shift: bigint;
  #edges = new Uint32Array(0);
  #addresses = new BigUint64Array(0);
  #at = 0;
  #end = 0;

  /** Begins before the first run. */
  constructor(init: RunInit) {
    super();
    this.#init = init;
    this.#scan = new RunScan(init);
    this.#shift = BigInt(init.pageSize.toString(2).length - 1);
  }

  /** The next run. */
  override next(): IteratorResult<DirtyRun, undefined> {
    if (this.#at === this.#end && !this.#refill()) return { done: true, value: undefined };
    this.#init.check();
    const at = this.#at;
    this.#at = at + 2;
    const pages = this.#edges[at + 1]! - this.#edges[at]!;
    const value = { iova: this.#addresses[at]!, size: this.#addresses[at + 1]!, pages };
    return { done: false, value };
  }

  #refill(): boolean {
    const batch = this.#scan.next();
    if (batch === undefined) return false;
    const { scan, edges } = batch;
    this.#edges = scan.edges;
    this.#addresses = scan.addresses(edges, this.#init.iova, this.#shift);
    this.#at = 0;
    this.#end = edges;
    return true;
  }

  /** Ends before the last run. */
  override return(): IteratorResult<DirtyRun, undefined> {
    this.#at = this.#end = 0;
    this.#scan.close();
    return { done: true, value: undefined };
  }
}

/** The runs as arrays of page numbers. */
export class RunBatchIterator extends Iterator<Uint32Array<ArrayBuffer>, undefined, unknown> {
  readonly #scan: RunScan;

  /** Begins before the first run. */
  constructor(init: RunInit) {
    super();
    this.#scan = new RunScan(init);
  }

  /** The next runs. */
  override next(): IteratorResult<Uint32Array<ArrayBuffer>, undefined> {
    const batch = this.#scan.next();
    if (batch === undefined) return { done: true, value: undefined };
    return { done: false, value: batch.scan.edges.subarray(0, batch.edges) };
  }

  /** Ends before the last run. */
  override return(): IteratorResult<Uint32Array<ArrayBuffer>, undefined> {
    this.#scan.close();
    return { done: true, value: undefined };
  }
}

/** Calls back for each run, with page numbers. */
export function eachRun(init: RunInit, found: (first: number, end: number) => void): void {
  const runs = new RunScan(init);
  try {
    for (let batch; (batch = runs.next()) !== undefined;) {
      const { edges } = batch.scan;
      for (let i = 0; i < batch.edges; i += 2) {
        found(edges[i]!, edges[i + 1]!);
        init.check();
      }
    }
  } finally {
    runs.close();
  }
}
