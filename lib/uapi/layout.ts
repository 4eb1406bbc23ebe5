/**
 * Structs of the kernel's headers as data: a table of fields gives size, alignment and offsets by
 * the C padding rules of 64-bit Linux, the TypeScript types, and a reusable buffer with typed
 * fields.
 *
 * @module
 */

/** A C scalar. `ptr` is a `__u64` that holds a user address: it is set with {@link Struct.point}. */
export type Scalar = "u8" | "u16" | "u32" | "s32" | "u64" | "ptr";

/** A fixed array of scalars, as in `__u32 idr[6]`. */
export interface ArrayField {
  readonly array: "u8" | "u16" | "u32" | "u64";
  readonly length: number;
}

/** A flexible array at the end of a struct: adds alignment and no size. */
export interface FlexField {
  readonly flex: Scalar | AnyLayout;
}

/** A union member that lies over the field named in `over`, as in `union { a; b; }`. */
export interface UnionField {
  readonly over: string;
  readonly type: Scalar;
}

/** What a field of a struct can be: a scalar, a nested struct, an array, a flexible array, a union member. */
export type Field = Scalar | AnyLayout | ArrayField | FlexField | UnionField;

/** The fields of a struct, in the order of the C declaration. */
export type Fields = Readonly<Record<string, Field>>;

/** Any layout, whatever its fields: what nested fields and tables of layouts hold. */
export interface AnyLayout {
  readonly tag: string;
  readonly size: number;
  readonly align: number;
  readonly fields: Fields;
  readonly offsets: Readonly<Record<string, number>>;
  over(bytes: Uint8Array): { readonly fields: object };
}

/** Something with an address that must stay alive while a struct points at it. */
export interface Pointer {
  readonly address: bigint;
}

type ScalarValue<T> = T extends "u64" | "ptr" ? bigint : number;
type ArrayValue<T> = T extends "u8" ? Uint8Array
  : T extends "u16" ? Uint16Array
  : T extends "u32" ? Uint32Array
  : BigUint64Array;
type FlexKeys<F> = { [K in keyof F]: F[K] extends FlexField ? K : never }[keyof F];
type PointerKeys<F> = { [K in keyof F]: F[K] extends "ptr" ? K : never }[keyof F];
type WritableKeys<F> = {
  [K in keyof F]: F[K] extends Exclude<Scalar, "ptr"> | UnionField ? K : never;
}[keyof F];
type FieldValue<T> = T extends Scalar ? ScalarValue<T>
  : T extends ArrayField ? ArrayValue<T["array"]>
  : T extends UnionField ? ScalarValue<T["type"]>
  : T extends Layout<infer G> ? Accessors<G>
  : never;

/** The typed fields of a struct: scalars can be set, nested structs and arrays are views. */
export type Accessors<F extends Fields> =
  & { -readonly [K in WritableKeys<F>]: FieldValue<F[K]> }
  & { readonly [K in Exclude<keyof F, WritableKeys<F> | FlexKeys<F>>]: FieldValue<F[K]> };

/** A struct in memory: made once, filled again for each call, so that a call allocates nothing. */
export interface Struct<F extends Fields> {
  /** The bytes that go to the kernel. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The fields, read from and written to {@link bytes}. */
  readonly fields: Accessors<F>;
  /** Makes a pointer field point at `target` (null: a NULL pointer) and keeps `target` alive. */
  point(field: PointerKeys<F> & string, target: Pointer | null): void;
}

/** The layout of one C struct. */
export interface Layout<F extends Fields> extends AnyLayout {
  /** The C struct tag. */
  readonly tag: string;
  /** `sizeof`, without a flexible array. */
  readonly size: number;
  readonly align: number;
  readonly fields: F;
  /** `offsetof` of each field. */
  readonly offsets: { readonly [K in keyof F & string]: number };
  /** Makes a zeroed struct with `extra` bytes behind it for a flexible array or a capability chain. */
  create(extra?: number): Struct<F>;
  /** Reads a struct that lies at the start of `bytes`. */
  over(bytes: Uint8Array): Struct<F>;
}

const WIDTH = { u8: 1, u16: 2, u32: 4, s32: 4, u64: 8, ptr: 8 } as const;
const VIEW = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, u64: BigUint64Array } as const;

/** Size and alignment of a field; a flexible array and a union member take no room of their own. */
function shape(field: Field): { size: number; align: number } {
  if (typeof field === "string") return { size: WIDTH[field], align: WIDTH[field] };
  if ("array" in field) {
    return { size: WIDTH[field.array] * field.length, align: WIDTH[field.array] };
  }
  if ("flex" in field) return { size: 0, align: shape(field.flex).align };
  if ("over" in field && typeof field.over === "string") {
    return { size: 0, align: WIDTH[(field as UnionField).type] };
  }
  return field as AnyLayout;
}

const isUnion = (field: Field): field is UnionField =>
  typeof field === "object" && "over" in field && typeof field.over === "string";

const alignUp = (value: number, align: number): number => Math.ceil(value / align) * align;

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
  const offsets: Record<string, number> = {};
  let end = 0;
  let align = 1;
  for (const [name, field] of Object.entries(fields)) {
    const { size, align: own } = shape(field);
    if (isUnion(field)) {
      const base = offsets[field.over];
      if (base === undefined) {
        throw new TypeError(`${tag}.${name}: no field ${field.over} before it`);
      }
      offsets[name] = base;
      continue;
    }
    offsets[name] = alignUp(end, own);
    end = offsets[name] + size;
    align = Math.max(align, own);
  }
  const size = alignUp(end, align);

  const over = (bytes: Uint8Array): Struct<F> => {
    if (bytes.byteLength < size) {
      throw new RangeError(`struct ${tag} needs ${size} bytes, got ${bytes.byteLength}`);
    }
    return makeStruct(bytes as Uint8Array<ArrayBuffer>, fields, offsets);
  };
  const create = (extra = 0): Struct<F> => over(new Uint8Array(size + extra));
  return {
    tag,
    size,
    align,
    fields,
    offsets: offsets as Layout<F>["offsets"],
    create,
    over,
  };
}

function makeStruct<F extends Fields>(
  bytes: Uint8Array<ArrayBuffer>,
  fields: F,
  offsets: Readonly<Record<string, number>>,
): Struct<F> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // One owner per pointer field: an address kept as a bigint does not keep its memory alive.
  const owners = new Map<string, Pointer>();
  const accessors = {};
  for (const [name, field] of Object.entries(fields)) {
    const at = offsets[name] ?? 0;
    const property = accessor(view, bytes, field, at);
    if (property !== undefined) {
      Object.defineProperty(accessors, name, { enumerable: true, ...property });
    }
  }
  const point = (name: string, target: Pointer | null): void => {
    view.setBigUint64(offsets[name] ?? 0, target?.address ?? 0n, true);
    if (target === null) owners.delete(name);
    else owners.set(name, target);
  };
  return { bytes, fields: accessors as Accessors<F>, point };
}

/** The property that reads and writes a field; both supported machines are little endian. */
function accessor(
  view: DataView,
  bytes: Uint8Array<ArrayBuffer>,
  field: Field,
  at: number,
): PropertyDescriptor | undefined {
  if (isUnion(field)) return accessor(view, bytes, field.type, at);
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
  if ("flex" in field) return undefined;
  if ("array" in field) {
    const value = new VIEW[field.array](bytes.buffer, bytes.byteOffset + at, field.length);
    return { value };
  }
  return { value: (field as AnyLayout).over(bytes.subarray(at)).fields };
}
