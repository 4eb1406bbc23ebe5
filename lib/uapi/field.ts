/**
 * The types of struct fields: how a C declaration becomes a table, and the table typed properties.
 *
 * @module
 */

/** A C scalar. `ptr` is a `__u64` that holds a user address: it is set with {@link Struct.point}. */
export type Scalar = "u8" | "u16" | "u32" | "s32" | "u64" | "ptr";

/** A fixed array of scalars, as in `__u32 idr[6]`. */
export interface ArrayField {
  /** The type of the elements. */
  readonly array: "u8" | "u16" | "u32" | "u64";
  /** How many there are. */
  readonly length: number;
}

/** A flexible array at the end of a struct: adds alignment and no size. */
export interface FlexField {
  /** The type of the elements. */
  readonly flex: Scalar | AnyLayout;
}

/** A union member that lies over the field named in `over`, as in `union { a; b; }`. */
export interface UnionField {
  /** The member that stands first in the union; it must be the largest. */
  readonly over: string;
  /** The type of this member; not a pointer, which would have no owner to keep alive. */
  readonly type: Exclude<Scalar, "ptr">;
}

/** What a field of a struct can be: a scalar, a nested struct, an array, a flexible array, a union member. */
export type Field = Scalar | AnyLayout | ArrayField | FlexField | UnionField;

/** The fields of a struct, in the order of the C declaration. */
export type Fields = Readonly<Record<string, Field>>;

/** Something with an address that must stay alive while a struct points at it. */
export interface Pointer {
  /** User address of the first byte. */
  readonly address: bigint;
}

/** Any layout, whatever its fields: what nested fields and tables of layouts hold. */
export interface AnyLayout {
  /** The struct's tag in C; of a form that a later kernel replaced, with `_v6_6` behind it. */
  readonly tag: string;
  /** `sizeof`, without a flexible array. */
  readonly size: number;
  /** `_Alignof`. */
  readonly align: number;
  /** The table it was made from. */
  readonly fields: Fields;
  /** `offsetof` of each field. */
  readonly offsets: Readonly<Record<string, number>>;
  /** Reads a struct that lies at the start of `bytes`. */
  over(bytes: Uint8Array): { readonly fields: object };
}

/** What a scalar reads as: 64 bits are a bigint, all else a number. */
export type ScalarValue<T> = T extends "u64" | "ptr" ? bigint : number;

/** The view that an array of a type reads as. */
export type ArrayValue<T> = T extends "u8" ? Uint8Array
  : T extends "u16" ? Uint16Array
  : T extends "u32" ? Uint32Array
  : BigUint64Array;

/** The names of fields that have no property, because they are flexible arrays. */
export type FlexKeys<F> = { [K in keyof F]: F[K] extends FlexField ? K : never }[keyof F];

/** The names of pointer fields; one in a nested struct is named by a path, `bitmap.data`. */
export type PointerKeys<F> = {
  [K in keyof F & string]: F[K] extends "ptr" ? K
    : F[K] extends Layout<infer G> ? `${K}.${PointerKeys<G> & string}`
    : never;
}[keyof F & string];

/** The names of fields that can be assigned. */
export type WritableKeys<F> = {
  [K in keyof F]: F[K] extends Exclude<Scalar, "ptr"> | UnionField ? K : never;
}[keyof F];

/** What a field reads as. */
export type FieldValue<T> = T extends Scalar ? ScalarValue<T>
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
  /** The fields, read from and written to {@link bytes}. A number too large for its field wraps. */
  readonly fields: Accessors<F>;
  /** Makes a pointer field point at `target` (null: a NULL pointer) and keeps `target` alive. */
  point(field: PointerKeys<F>, target: Pointer | null): void;
}

/** The layout of one C struct. */
export interface Layout<F extends Fields> extends AnyLayout {
  /** The table it was made from. */
  readonly fields: F;
  /** `offsetof` of each field. */
  readonly offsets: { readonly [K in keyof F & string]: number };
  /** Makes a zeroed struct with `extra` bytes behind it for a flexible array or a capability chain. */
  create(extra?: number): Struct<F>;
  /** Reads a struct that lies at the start of `bytes`. */
  over(bytes: Uint8Array): Struct<F>;
}
