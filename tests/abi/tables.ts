/** What our tables say, as facts that a C compiler can check against a header. */
import * as uapi from "../../lib/uapi/mod.ts";
import type { AnyLayout, Field, Scalar } from "../../lib/uapi/layout.ts";

/** One line of the committed table: numbers, and the C expressions that must give them. */
export interface Fact {
  /** A constant's name, a struct's tag, or `tag.member`. */
  readonly key: string;
  /** A constant: its value. A struct: size, alignment. A member: offset, size, and 1 if signed. */
  readonly values: readonly number[];
  readonly expressions: readonly string[];
}

/** A struct as one of our tables has it. */
export interface Form {
  /** The export's name; that of an older form ends in the release that brought it. */
  readonly name: string;
  /** The tag in the header; the same for the older form and the newer one. */
  readonly tag: string;
  readonly older: boolean;
  readonly self: Fact;
  readonly members: readonly Fact[];
  /** Names of the members in C. */
  readonly memberNames: readonly string[];
}

const OLDER = /_v\d+_\d+$/;
const WIDTH: Readonly<Record<Scalar, number>> = { u8: 1, u16: 2, u32: 4, s32: 4, u64: 8, ptr: 8 };

/** The wire images that we send: two C structs, one behind the other. */
const COMPOSED: Readonly<Record<string, readonly [first: string, second: string]>> = {
  dirty_bitmap_get_request: ["vfio_iommu_type1_dirty_bitmap", "vfio_iommu_type1_dirty_bitmap_get"],
  dma_unmap_with_bitmap_request: ["vfio_iommu_type1_dma_unmap", "vfio_bitmap"],
};

/** Every constant. All fit in 32 bits, where C may see some of them as negative. */
export const constants: readonly Fact[] = Object.entries(uapi)
  .flatMap(([key, value]) => typeof value === "number" ? [{ key, value }] : [])
  .map(({ key, value }) => ({
    key,
    values: [value],
    expressions: [`(unsigned int)(${key})`],
  }));

const isLayout = (value: unknown): value is AnyLayout =>
  typeof value === "object" && value !== null && "tag" in value && "offsets" in value;

/** Every struct. */
export const forms: readonly Form[] = Object.entries(uapi)
  .flatMap(([name, value]) => isLayout(value) ? [formOf(name, value)] : []);

/** A struct of our tables, with the C expressions that must give its numbers. */
export function formOf(name: string, layout: AnyLayout): Form {
  const composed = COMPOSED[name];
  const tag = name.replace(OLDER, "");
  const memberNames = Object.keys(layout.fields);
  const members = Object.entries(layout.fields).map(([member, field]): Fact => {
    const place = composed === undefined
      ? { at: "0", tag, path: member }
      : placeInPair(composed, memberNames, member);
    const value = `((struct ${place.tag} *)0)->${place.path}`;
    const offset = `${place.at} + __builtin_offsetof(struct ${place.tag}, ${place.path})`;
    const { size, sign, element } = shapeOf(field);
    const item = element ? `${value}[0]` : value;
    return {
      key: `${name}.${member}`,
      values: [layout.offsets[member] ?? NaN, size, ...(sign === undefined ? [] : [sign])],
      expressions: [
        offset,
        `sizeof(${"flex" in Object(field) ? item : value})`,
        ...(sign === undefined ? [] : [`(__typeof__(${item}))-1 < 0`]),
      ],
    };
  });
  const whole = composed ?? [tag];
  const self: Fact = {
    key: name,
    values: [layout.size, layout.align],
    expressions: [
      whole.map((one) => `sizeof(struct ${one})`).join(" + "),
      `_Alignof(struct ${whole.at(-1)})`,
    ],
  };
  return { name, tag, older: OLDER.test(name), self, members, memberNames };
}

/** Where a member of a wire image lies in its two structs; the image has the nested ones flat. */
function placeInPair(
  [first, second]: readonly [string, string],
  names: readonly string[],
  member: string,
): { at: string; tag: string; path: string } {
  const behind = `sizeof(struct ${first})`;
  if (first.endsWith("dma_unmap")) {
    const index = names.indexOf(member);
    if (index < 4) return { at: "0", tag: first, path: member };
    return { at: behind, tag: second, path: member === "bitmap_size" ? "size" : member };
  }
  if (member === "argsz" || member === "flags") return { at: "0", tag: first, path: member };
  if (member === "iova" || member === "size") return { at: behind, tag: second, path: member };
  const path = `bitmap.${member === "bitmap_size" ? "size" : member}`;
  return { at: behind, tag: second, path };
}

/** Size of a member and its sign; a flexible array counts by one element. */
function shapeOf(field: Field): { size: number; sign?: 0 | 1; element: boolean } {
  if (typeof field === "string") {
    // A pointer stands as __u64 in some structs and as __u64 * in others.
    if (field === "ptr") return { size: 8, element: false };
    return { size: WIDTH[field], sign: field === "s32" ? 1 : 0, element: false };
  }
  if (isLayout(field)) return { size: field.size, element: false };
  if ("flex" in field) return { ...shapeOf(field.flex), element: true };
  if ("array" in field) return { size: WIDTH[field.array] * field.length, sign: 0, element: true };
  return shapeOf(field.type);
}
