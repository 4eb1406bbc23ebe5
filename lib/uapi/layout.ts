/**
 * Structs of the kernel's headers as data: a table of fields gives size, alignment and offsets by
 * the C padding rules of 64-bit Linux, the TypeScript types, and a reusable buffer with typed
 * fields.
 *
 * @module
 */
import type {
  Accessors,
  AnyLayout,
  ArrayField,
  Field,
  Fields,
  Layout,
  Pointer,
  Struct,
  UnionField,
} from "./field.ts";

export type * from "./field.ts";

const WIDTH = { u8: 1, u16: 2, u32: 4, s32: 4, u64: 8, ptr: 8 } as const;
const VIEW = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, u64: BigUint64Array } as const;

interface Shape {
  readonly size: number;
  readonly align: number;
}

// A layout has a method `over`, a union member the name of a field.
const isUnion = (field: Field): field is UnionField =>
  typeof field === "object" && "over" in field && typeof field.over === "string";

const isLayout = (field: Field): field is AnyLayout => typeof field === "object" && "tag" in field;

/** Size and alignment of a field; a flexible array takes no room of its own. */
function shape(field: Field): Shape {
  if (typeof field === "string") return { size: WIDTH[field], align: WIDTH[field] };
  if (isLayout(field)) return field;
  if (isUnion(field)) return shape(field.type);
  if ("flex" in field) return { size: 0, align: shape(field.flex).align };
  return { size: WIDTH[field.array] * field.length, align: WIDTH[field.array] };
}

const alignUp = (value: number, align: number): number => Math.ceil(value / align) * align;

/** Places the fields as a C compiler does. */
function place(tag: string, fields: Fields): Shape & { offsets: Record<string, number> } {
  const offsets: Record<string, number> = {};
  let end = 0;
  let align = 1;
  for (const [name, field] of Object.entries(fields)) {
    const own = shape(field);
    if (isUnion(field)) {
      const base = offsets[field.over];
      const first = fields[field.over];
      if (base === undefined || first === undefined) {
        throw new TypeError(`${tag}.${name}: no field ${field.over} before it`);
      }
      // A larger member would move what follows it, and perhaps the union itself.
      if (own.size > shape(first).size) {
        throw new TypeError(`${tag}.${name} is larger than ${field.over}, which it lies over`);
      }
      offsets[name] = base;
      continue;
    }
    offsets[name] = alignUp(end, own.align);
    end = offsets[name] + own.size;
    align = Math.max(align, own.align);
  }
  return { size: alignUp(end, align), align, offsets };
}

/**
 * Declares a struct by its C tag and its fields, in order.
 *
 * The exported constant needs its type written out, because packages on JSR may not infer it:
 *
 * @example A struct of linux/vfio.h
 * ```ts
 * import { type Layout, struct } from "@pinscope/vfio/uapi";
 *
 * const status = { argsz: "u32", flags: "u32" } as const;
 * const vfio_group_status: Layout<typeof status> = struct("vfio_group_status", status);
 *
 * const request = vfio_group_status.create();
 * request.fields.argsz = vfio_group_status.size;
 * if (request.bytes[0] !== 8) throw new Error("argsz is the first field");
 * ```
 *
 * @param tag The struct's tag in C.
 * @param fields Field names and types in the order of the C declaration.
 * @returns Size, offsets, and ways to make and read the struct.
 */
export function struct<const F extends Fields>(tag: string, fields: F): Layout<F> {
  const { size, align, offsets } = place(tag, fields);
  const over = (bytes: Uint8Array): Struct<F> => {
    if (bytes.byteLength < size) {
      throw new RangeError(`struct ${tag} needs ${size} bytes, got ${bytes.byteLength}`);
    }
    return makeStruct(tag, bytes as Uint8Array<ArrayBuffer>, fields, offsets);
  };
  const create = (extra = 0): Struct<F> => over(new Uint8Array(size + extra));
  return { tag, size, align, fields, offsets: offsets as Layout<F>["offsets"], create, over };
}

function makeStruct<F extends Fields>(
  tag: string,
  bytes: Uint8Array<ArrayBuffer>,
  fields: F,
  offsets: Readonly<Record<string, number>>,
): Struct<F> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // One owner per pointer field: an address kept as a bigint does not keep its memory alive.
  const owners = new Map<string, Pointer>();
  const accessors = {};
  for (const [name, field] of Object.entries(fields)) {
    const property = accessor(view, bytes, field, offsets[name] ?? 0);
    if (property !== undefined) {
      Object.defineProperty(accessors, name, { enumerable: true, ...property });
    }
  }
  const point = (path: string, target: Pointer | null): void => {
    const at = pointerOffset(fields, offsets, path);
    // Without this, a wrong name from a plain JavaScript caller would overwrite the first field.
    if (at === undefined) throw new TypeError(`struct ${tag} has no pointer field ${path}`);
    view.setBigUint64(at, target?.address ?? 0n, true);
    if (target === null) owners.delete(path);
    else owners.set(path, target);
  };
  return { bytes, fields: accessors as Accessors<F>, point };
}

/** Where a pointer field lies; `path` leads through nested structs by dots. */
function pointerOffset(
  fields: Fields,
  offsets: Readonly<Record<string, number>>,
  path: string,
): number | undefined {
  const dot = path.indexOf(".");
  const name = dot < 0 ? path : path.slice(0, dot);
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  const at = offsets[name];
  if (field === undefined || at === undefined) return undefined;
  if (dot < 0) return field === "ptr" ? at : undefined;
  if (!isLayout(field)) return undefined;
  const inner = pointerOffset(field.fields, field.offsets, path.slice(dot + 1));
  return inner === undefined ? undefined : at + inner;
}

/** The property that reads and writes a field; both supported machines are little endian. */
function accessor(
  view: DataView,
  bytes: Uint8Array<ArrayBuffer>,
  field: Field,
  at: number,
): PropertyDescriptor | undefined {
  if (typeof field === "string") {
    switch (field) {
      case "u8":
        return { get: () => view.getUint8(at), set: (v: number) => view.setUint8(at, v) };
      case "u16":
        return { get: () => view.getUint16(at, true), set: (v) => view.setUint16(at, v, true) };
      case "u32":
        return { get: () => view.getUint32(at, true), set: (v) => view.setUint32(at, v, true) };
      case "s32":
        return { get: () => view.getInt32(at, true), set: (v) => view.setInt32(at, v, true) };
      case "u64":
        return {
          get: () => view.getBigUint64(at, true),
          set: (v) => view.setBigUint64(at, v, true),
        };
      case "ptr":
        return { get: () => view.getBigUint64(at, true) };
    }
  }
  if (isLayout(field)) return { value: field.over(bytes.subarray(at)).fields };
  if (isUnion(field)) return accessor(view, bytes, field.type, at);
  if ("flex" in field) return undefined;
  return { value: arrayView(bytes, field, at) };
}

/** A view of a fixed array; the machine's own typed arrays need their natural alignment. */
function arrayView(bytes: Uint8Array<ArrayBuffer>, field: ArrayField, at: number): ArrayBufferView {
  const start = bytes.byteOffset + at;
  const width = WIDTH[field.array];
  if (start % width !== 0) {
    throw new RangeError(
      `an array of ${field.array} needs a place that is a multiple of ${width}, not ${start}`,
    );
  }
  return new VIEW[field.array](bytes.buffer, start, field.length);
}
