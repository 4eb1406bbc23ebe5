/**
 * The scalars of a request, nested structs and lists taken apart: where each lies, and which field of
 * which struct it is.
 *
 * @module
 */
import type { Argument } from "./decode_table.ts";
import { type Tail, tailOf } from "./decode_tail.ts";
import type { AnyLayout, Field, Scalar } from "./layout.ts";

/** One scalar of a request. */
export interface Leaf {
  /** Its name in the request, as `bitmap.data`, `data[0]` or `argument`. */
  readonly path: string;
  /** Its struct's tag and its name in that, as `vfio_bitmap.data`; of a list, `vfio_irq_set.data[]`. */
  readonly key: string;
  readonly type: Scalar;
  /** Bytes from the start of the argument. */
  readonly at: number;
}

/** Bytes that a scalar takes. */
export const SCALAR_WIDTH: Readonly<Record<Scalar, number>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  s32: 4,
  u64: 8,
  ptr: 8,
};

/** The scalars of a struct that lies at `at`; fixed arrays are left out. */
export function structLeaves(layout: AnyLayout, at: number, prefix: string): Leaf[] {
  return Object.entries(layout.fields).flatMap(([name, field]): Leaf[] => {
    const offset = at + (layout.offsets[name] ?? 0);
    const path = prefix + name;
    const type = scalarOf(field);
    if (type !== undefined) return [{ path, key: `${layout.tag}.${name}`, type, at: offset }];
    if (typeof field === "object" && "tag" in field) {
      return structLeaves(field, offset, `${path}.`);
    }
    return [];
  });
}

function scalarOf(field: Field): Scalar | undefined {
  if (typeof field === "string") return field;
  return "type" in field ? field.type : undefined;
}

/** The tail of a struct, or undefined where the bytes end before it could be told. */
export function tailWithin(layout: AnyLayout, bytes: Uint8Array): Tail | undefined {
  return bytes.byteLength < layout.size ? undefined : tailOf(layout, bytes);
}

/**
 * The scalars of a request's argument, as far as its bytes reach.
 *
 * @param argument What the request takes.
 * @param bytes Its bytes: they tell what stands behind the struct.
 */
export function leavesOf(argument: Argument, bytes: Uint8Array): Leaf[] {
  const all = allLeaves(argument, bytes);
  return all.filter(({ at, type }) => at + SCALAR_WIDTH[type] <= bytes.byteLength);
}

function allLeaves(argument: Argument, bytes: Uint8Array): Leaf[] {
  if (argument === "s32" || argument === "u32") {
    return [{ path: "argument", key: `argument.${argument}`, type: argument, at: 0 }];
  }
  if (typeof argument === "string") return [];
  const own = structLeaves(argument, 0, "");
  const tail = tailWithin(argument, bytes);
  if (tail === undefined) return own;
  if ("layout" in tail) return [...own, ...structLeaves(tail.layout, argument.size, tail.prefix)];
  const width = SCALAR_WIDTH[tail.item];
  // The count is the caller's claim: the bytes say how many items there can be.
  const room = Math.floor((bytes.byteLength - argument.size) / width);
  const items = Array.from({ length: Math.min(tail.count, room) }, (_, i): Leaf => ({
    path: `${tail.field}[${i}]`,
    key: `${argument.tag}.${tail.field}[]`,
    type: tail.item,
    at: argument.size + i * width,
  }));
  return [...own, ...items];
}

/** Reads a scalar; signed ones may be negative. */
export function readLeaf(view: DataView, { type, at }: Leaf): bigint {
  switch (type) {
    case "u8":
      return BigInt(view.getUint8(at));
    case "u16":
      return BigInt(view.getUint16(at, true));
    case "u32":
      return BigInt(view.getUint32(at, true));
    case "s32":
      return BigInt(view.getInt32(at, true));
    default:
      return view.getBigUint64(at, true);
  }
}

/**
 * Writes a scalar.
 *
 * @throws {RangeError} If the value does not fit.
 */
export function writeLeaf(view: DataView, { path, type, at }: Leaf, value: bigint): void {
  const bits = 8 * SCALAR_WIDTH[type];
  const least = type === "s32" ? -(1n << 31n) : 0n;
  const most = type === "s32" ? (1n << 31n) - 1n : (1n << BigInt(bits)) - 1n;
  if (value < least || value > most) {
    throw new RangeError(`${path} takes ${least} to ${most}; got ${value}`);
  }
  switch (bits) {
    case 8:
      return view.setUint8(at, Number(value));
    case 16:
      return view.setUint16(at, Number(value), true);
    case 32:
      return view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
    default:
      return view.setBigUint64(at, value, true);
  }
}
