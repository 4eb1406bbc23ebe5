/**
 * What a differential test asks of a kernel, as data: small numbers for files, names for addresses.
 * The same list can be played on any {@link Kernel}, and is written one JSON object a line.
 *
 * @module
 */

/** Memory that a request can point at; `places.ts` says what each is. */
export type Place = "good" | "bits" | "half" | "read-only" | "nowhere" | "kernel" | "top" | "null";

/** An address: so many bytes behind the start of a place. */
export interface Pointer {
  readonly place: Place;
  readonly offset: number;
}

/** The struct vfio_bitmap of a request, and what its memory holds before the call. */
export interface Bitmap {
  readonly pgsize: bigint;
  readonly size: bigint;
  readonly data: Pointer;
  /** Each byte of the memory. */
  readonly fill: number;
}

/** Memory that a request of iommufd points at, beside what stands in the request itself. */
export interface Reach {
  /** Which of the 64-bit words of the request is the address. */
  readonly at: number;
  readonly data: Pointer;
  /** Bytes from there on that the kernel may touch. */
  readonly length: bigint;
  /** What each byte of it is before the call, if the kernel may write it, or read it there. */
  readonly fill?: number;
}

/** Files are named by their slot: the place in the player's list. */
export type Operation =
  | { readonly op: "open" | "close"; readonly container: number }
  | { readonly op: "openGroup" | "closeGroup" | "unsetContainer"; readonly group: number }
  | { readonly op: "status"; readonly group: number; readonly argsz: number }
  | {
    readonly op: "setContainer";
    readonly group: number;
    readonly container: number | "none" | "a group" | "another file";
  }
  | {
    readonly op: "openDevice";
    readonly group: number;
    readonly device: number;
    readonly name: "its own" | "of another group" | "unknown" | "empty";
  }
  | { readonly op: "closeDevice"; readonly device: number }
  /** An ioctl without an argument, or with a NULL pointer. */
  | {
    readonly op: "plain";
    readonly on: "container" | "group" | "device";
    readonly slot: number;
    readonly request: number;
  }
  /** CHECK_EXTENSION and SET_IOMMU. */
  | {
    readonly op: "value";
    readonly container: number;
    readonly request: number;
    readonly value: bigint;
  }
  | { readonly op: "info"; readonly container: number; readonly argsz: number }
  | {
    readonly op: "map";
    readonly container: number;
    readonly argsz: number;
    readonly flags: number;
    readonly vaddr: Pointer;
    readonly iova: bigint;
    readonly size: bigint;
  }
  | {
    readonly op: "unmap" | "dirty";
    readonly container: number;
    readonly argsz: number;
    readonly flags: number;
    readonly iova: bigint;
    readonly size: bigint;
    readonly bitmap: Bitmap;
  }
  /** A device's ioctl on a struct that begins with these words of 32 bits. */
  | {
    readonly op: "device";
    readonly device: number;
    readonly request: number;
    readonly words: readonly number[];
  }
  /** A command of the lab's vendor driver: op, flags, iova and length of its region. */
  | {
    readonly op: "vendor";
    readonly device: number;
    readonly run: number;
    readonly flags: number;
    readonly iova: bigint;
    readonly length: number;
  }
  | { readonly op: "openIommufd" | "closeIommufd"; readonly iommufd: number }
  /** A request of iommufd: words of 32 bits, the first of which is its size, then words of 64. */
  | {
    readonly op: "iommufd";
    readonly iommufd: number;
    readonly request: number;
    readonly words: readonly number[];
    readonly quads: readonly bigint[];
    readonly reach?: Reach;
  };

/** What a kernel did in one step; a field stands there only where something was written. */
export interface Answer {
  /** "OK", the name of an error, a count, or "fd" for a new file. */
  readonly result: string;
  /** Bytes of the request that the kernel changed: "offset:hex", one part each. */
  readonly written?: string;
  /** Bytes of the bitmap's memory that differ from what was there, in the same form. */
  readonly bitmap?: string;
  /** Memory that the step locked (+) or unlocked (-), in pages. */
  readonly locked?: number;
  /** The same of pinned memory: VmPin, which only iommufd moves. */
  readonly pinned?: number;
}

/** Writes an operation on one line. */
export function writeOperation(operation: Operation, extra: object = {}): string {
  return JSON.stringify(
    { ...operation, ...extra },
    (_, value: unknown) => typeof value === "bigint" ? `0x${value.toString(16)}` : value,
  );
}

/** Whether a field of a line is an answer, and no part of the operation. */
const isAnswer = (field: unknown): boolean =>
  field === null || (typeof field === "object" && "result" in field);

/** Reads what {@link writeOperation} wrote, without the answers that stand there. */
export function readOperation(line: string): Operation {
  const value: unknown = JSON.parse(
    line,
    (_, field: unknown) =>
      typeof field === "string" && /^0x[0-9a-f]+$/.test(field) ? BigInt(field) : field,
  );
  if (value === null || typeof value !== "object" || !("op" in value)) {
    throw new TypeError(`A line of a trace is a JSON object with "op"; got ${line}`);
  }
  const fields = Object.entries(value).filter(([, field]) => !isAnswer(field));
  return Object.fromEntries(fields) as unknown as Operation;
}
