/**
 * Names a request by its number and the kind of descriptor, and writes its fields as text: what a
 * log or a trace of ioctl calls needs.
 *
 * @module
 */
import { type Argument, entryOf, type FdKind } from "./decode_table.ts";
import { type Tail, tailOf } from "./decode_tail.ts";
import { EXTENSION, FIELD_TEXT, type FieldText } from "./decode_text.ts";
import { valueName } from "./flag_name.ts";
import type { AnyLayout, Field, Scalar } from "./layout.ts";

export type { FdKind } from "./decode_table.ts";

/** A request as text. */
export interface RequestDescription {
  /** The C name, or the number in hexadecimal where it names nothing. */
  readonly name: string;
  /** The fields by C name, in the struct's order; `bitmap.data` is one of a nested struct. */
  readonly fields: Readonly<Record<string, string>>;
  /** What is not there, if the bytes end early. */
  readonly missing?: string;
}

// A list of interrupts can be long.
const MAX_ITEMS = 16;
const TEXT_BYTES = 64;

/** Collects fields as long as the bytes reach. */
interface Sink {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly fields: Record<string, string>;
  readonly missing: string[];
}

/**
 * Names a request.
 *
 * @example One number, three requests
 * ```ts
 * import { requestName } from "@pinscope/vfio/uapi";
 *
 * const names = [
 *   requestName("container", 0x3b75),
 *   requestName("device", 0x3b75),
 *   requestName("spapr-container", 0x3b75),
 *   requestName("group", 0x3b75),
 * ].join(" ");
 * const wanted = "VFIO_IOMMU_DIRTY_PAGES VFIO_DEVICE_FEATURE VFIO_IOMMU_SPAPR_REGISTER_MEMORY 0x3b75";
 * if (names !== wanted) throw new Error(names);
 * ```
 *
 * @param kind What the descriptor is.
 * @param request The number; that of powerpc, with bit 29 set, is understood as well.
 * @returns The C name, or the number in hexadecimal where that kind of descriptor has no such request.
 */
export function requestName(kind: FdKind, request: number): string {
  return entryOf(kind, request)?.name ?? `0x${(request >>> 0).toString(16)}`;
}

/**
 * Describes a request and the struct it takes. Never throws on short bytes: it says what is missing.
 *
 * @example A mapping
 * ```ts
 * import { describeRequest, vfio_iommu_type1_dma_map } from "@pinscope/vfio/uapi";
 *
 * const map = vfio_iommu_type1_dma_map.create();
 * Object.assign(map.fields, { argsz: 32, flags: 3, vaddr: 0x7f0000n, iova: 0x1000n, size: 0x2000n });
 *
 * const { name, fields } = describeRequest("container", 0x3b71, map.bytes);
 * if (name !== "VFIO_IOMMU_MAP_DMA") throw new Error(name);
 * if (fields.flags !== "READ|WRITE" || fields.iova !== "0x1000") throw new Error("decoded");
 * ```
 *
 * @param kind What the descriptor is.
 * @param request The number.
 * @param argument The bytes of the struct, or the value of a request that takes one.
 * @returns Name, fields, and what is missing.
 */
export function describeRequest(
  kind: FdKind,
  request: number,
  argument?: Uint8Array | number,
): RequestDescription {
  const entry = entryOf(kind, request);
  const name = requestName(kind, request);
  if (entry === undefined || argument === undefined) return { name, fields: {} };
  if (typeof argument === "number") {
    if (entry.argument !== "value") return { name, fields: {} };
    return { name, fields: { argument: valueName(argument, EXTENSION) } };
  }
  const view = new DataView(argument.buffer, argument.byteOffset, argument.byteLength);
  const sink: Sink = { bytes: argument, view, fields: {}, missing: [] };
  describeArgument(sink, entry.argument);
  if (sink.missing.length === 0) return { name, fields: sink.fields };
  const { byteLength } = argument;
  const has = byteLength === 1 ? "there is 1 byte" : `there are ${byteLength} bytes`;
  const missing = `${sink.missing.join(", ")}: ${has}`;
  return { name, fields: sink.fields, missing };
}

function describeArgument(sink: Sink, argument: Argument): void {
  switch (argument) {
    case "none":
    case "value":
      return;
    case "s32":
    case "u32":
      return scalar(sink, "argument", argument, 0, sink.bytes.byteLength);
    case "text":
      return text(sink);
  }
  const limit = sizeStated(sink, argument);
  structure(sink, argument, 0, limit, "");
  if (limit < argument.size || sink.bytes.byteLength < argument.size) return;
  const tail = tailOf(argument, sink.bytes);
  if (tail !== undefined) describeTail(sink, tail, argument.size);
}

/** A caller may send the shorter struct of an older kernel: the first field says how long it is. */
function sizeStated(sink: Sink, layout: AnyLayout): number {
  if (sink.bytes.byteLength < 4) return layout.size;
  const stated = sink.view.getUint32(0, true);
  return stated >= 8 && stated < layout.size ? stated : layout.size;
}

function describeTail(sink: Sink, tail: Tail, at: number): void {
  if ("layout" in tail) return structure(sink, tail.layout, at, Infinity, tail.prefix);
  const width = tail.item === "s32" ? 4 : 1;
  const there = Math.min(tail.count, Math.floor((sink.bytes.byteLength - at) / width));
  const shown = Array.from(
    { length: Math.min(there, MAX_ITEMS) },
    (_, i) =>
      tail.item === "s32" ? sink.view.getInt32(at + i * 4, true) : sink.view.getUint8(at + i),
  );
  const more = there > MAX_ITEMS ? `, ... ${there - MAX_ITEMS} more` : "";
  sink.fields[tail.field] = `[${shown.join(", ")}${more}]`;
  if (there < tail.count) sink.missing.push(`${tail.count - there} of ${tail.count} ${tail.field}`);
}

/** A NUL-terminated name. */
function text(sink: Sink): void {
  const end = sink.bytes.indexOf(0);
  const shown = sink.bytes.subarray(0, Math.min(end < 0 ? sink.bytes.byteLength : end, TEXT_BYTES));
  sink.fields["argument"] = JSON.stringify(new TextDecoder().decode(shown));
  if (end < 0) sink.missing.push("the NUL at the end of argument");
}

function structure(
  sink: Sink,
  layout: AnyLayout,
  at: number,
  limit: number,
  prefix: string,
): void {
  for (const [name, field] of Object.entries(layout.fields)) {
    const offset = at + (layout.offsets[name] ?? 0);
    if (offset >= limit) continue;
    const path = prefix + name;
    const own = FIELD_TEXT[`${layout.tag}.${name}`];
    if (isScalar(field)) scalar(sink, path, field, offset, limit, own);
    else if ("tag" in field) structure(sink, field, offset, limit, `${path}.`);
    else if ("type" in field) scalar(sink, path, field.type, offset, limit, own);
  }
}

const isScalar = (field: Field): field is Scalar => typeof field === "string";
const isReserved = (path: string): boolean => /(?:^|\.)_*(?:pad|resv\d*|reserved\d*)$/.test(path);

function scalar(
  sink: Sink,
  path: string,
  type: Scalar,
  at: number,
  limit: number,
  own?: FieldText,
): void {
  const width = { u8: 1, u16: 2, u32: 4, s32: 4, u64: 8, ptr: 8 }[type];
  if (at + width > sink.bytes.byteLength) {
    if (!isReserved(path)) sink.missing.push(path);
    return;
  }
  if (at + width > limit) return;
  const value = read(sink.view, type, at);
  // Reserved fields are news only when somebody set them.
  if (isReserved(path) && BigInt(value) === 0n) return;
  const plain = typeof value === "bigint" ? `0x${value.toString(16)}` : `${value}`;
  sink.fields[path] = own === undefined ? plain : own.write(value);
}

function read(view: DataView, type: Scalar, at: number): number | bigint {
  switch (type) {
    case "u8":
      return view.getUint8(at);
    case "u16":
      return view.getUint16(at, true);
    case "u32":
      return view.getUint32(at, true);
    case "s32":
      return view.getInt32(at, true);
    default:
      return view.getBigUint64(at, true);
  }
}
