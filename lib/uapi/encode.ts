/**
 * From names back to bytes: the inverse of {@link describeRequest}.
 *
 * @module
 */
import {
  type Argument,
  entryOf,
  type FdKind,
  type RequestEntry,
  REQUESTS,
} from "./decode_table.ts";
import { EXTENSION, FIELD_TEXT } from "./decode_text.ts";
import { parseInteger, parseNamed } from "./flag_name.ts";
import type { AnyLayout } from "./layout.ts";
import { type Leaf, SCALAR_WIDTH, structLeaves, tailWithin, writeLeaf } from "./leaf.ts";

/** A request as the kernel takes it. */
export interface EncodedRequest {
  /** Its C name. */
  readonly name: string;
  /** Its number. */
  readonly request: number;
  /** The bytes that a pointer leads to, the value, or undefined where it takes nothing. */
  readonly argument: Uint8Array<ArrayBuffer> | bigint | undefined;
}

/** Texts by field name, as {@link describeRequest} gives them. */
export type FieldTexts = Readonly<Record<string, string>>;

// The first field tells the kernel how long the struct is.
const LENGTH_FIELDS: readonly string[] = ["argsz", "size"];

/**
 * Builds a request from named fields. A field that is not given is 0, `argsz` the whole length, and
 * the count of a list how long it is.
 *
 * @example There and back
 * ```ts
 * import { describeRequest, encodeRequest } from "@pinscope/vfio/uapi";
 *
 * const { request, argument } = encodeRequest("container", "VFIO_IOMMU_MAP_DMA", {
 *   flags: "READ|WRITE",
 *   iova: "0x1000",
 *   size: "0x2000",
 * });
 * if (!(argument instanceof Uint8Array)) throw new Error("a struct");
 * const { fields } = describeRequest("container", request, argument);
 * if (fields.argsz !== "32" || fields.flags !== "READ|WRITE") throw new Error("the same again");
 * ```
 *
 * @param kind What the descriptor is.
 * @param request The C name or the number.
 * @param fields Numbers, decimal or hexadecimal, and names, as "READ|WRITE"; a list as "[3, -1]";
 *   of a request that takes no struct, `argument`.
 * @returns Name, number, and bytes or value.
 * @throws {TypeError} For a request that the kind does not have, an unknown field, or a text that
 *   means nothing.
 * @throws {RangeError} For a number that its field cannot hold.
 */
export function encodeRequest(
  kind: FdKind,
  request: string | number,
  fields: FieldTexts,
): EncodedRequest {
  const [number, { name, argument }] = rowOf(kind, request);
  return { name, request: number, argument: encodeArgument(name, argument, fields) };
}

function rowOf(kind: FdKind, request: string | number): readonly [number, RequestEntry] {
  const number = typeof request === "number" ? request : requestNumber(kind, request);
  const entry = entryOf(kind, number);
  if (entry !== undefined) return [number, entry];
  throw new TypeError(`A ${kind} has no request 0x${number.toString(16)}`);
}

/** Every kind of descriptor. */
export const FD_KINDS: readonly FdKind[] = Object.keys(REQUESTS) as FdKind[];

/**
 * Reads which request a text means.
 *
 * @param kind What the descriptor is.
 * @param text A C name, or a number like 0x3b71, which need not be known.
 * @returns The number.
 * @throws {TypeError} If the kind has no request of that name.
 */
export function requestNumber(kind: FdKind, text: string): number {
  for (const [number, { name }] of REQUESTS[kind]) if (name === text) return number;
  if (/^(0x[0-9a-f]{1,8}|\d{1,9})$/i.test(text)) return Number(text);
  throw new TypeError(`A ${kind} has no request ${text}`);
}

function encodeArgument(
  name: string,
  argument: Argument,
  fields: FieldTexts,
): EncodedRequest["argument"] {
  if (typeof argument === "object") return encodeStruct(name, argument, fields);
  const known = argument === "none" ? [] : ["argument"];
  refuseUnknown(name, known, fields);
  const text = fields["argument"];
  switch (argument) {
    case "none":
      return undefined;
    case "value":
      return parseNamed(text ?? "0", EXTENSION);
    case "text": {
      return new TextEncoder().encode(`${unquoted(text ?? "")}\0`);
    }
    default: {
      const bytes = new Uint8Array(SCALAR_WIDTH[argument]);
      const leaf = { path: "argument", key: "", type: argument, at: 0 };
      writeLeaf(new DataView(bytes.buffer), leaf, parseInteger(text ?? "0"));
      return bytes;
    }
  }
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    throw new TypeError(`A text is plain, or quoted as JSON is; got ${text}`);
  }
}

function refuseUnknown(name: string, known: readonly string[], fields: FieldTexts): void {
  const unknown = Object.keys(fields).find((field) => !known.includes(field));
  if (unknown === undefined) return;
  const has = known.length === 0 ? "takes nothing" : `has ${known.join(", ")}`;
  throw new TypeError(`${name} ${has}; got ${JSON.stringify(unknown)}`);
}

function encodeStruct(
  name: string,
  layout: AnyLayout,
  fields: FieldTexts,
): Uint8Array<ArrayBuffer> {
  const own = structLeaves(layout, 0, "");
  const head = new Uint8Array(layout.size);
  fill(head, own, fields);
  fillCount(head, own, fields);
  const tail = tailWithin(layout, head);
  let bytes = head;
  let known = own.map(({ path }) => path);
  if (tail !== undefined && "layout" in tail) {
    bytes = extended(head, tail.layout.size);
    const leaves = structLeaves(tail.layout, head.length, tail.prefix);
    fill(bytes, leaves, fields);
    known = [...known, ...leaves.map(({ path }) => path)];
  } else if (tail !== undefined) {
    const items = listOf(fields[tail.field]);
    const width = SCALAR_WIDTH[tail.item];
    bytes = extended(head, items.length * width);
    const view = new DataView(bytes.buffer);
    items.forEach((value, i) => {
      const path = `${tail.field}[${i}]`;
      writeLeaf(view, { path, key: "", type: tail.item, at: head.length + i * width }, value);
    });
    known = [...known, tail.field];
  }
  refuseUnknown(name, known, fields);
  const [first] = own;
  if (first !== undefined && LENGTH_FIELDS.includes(first.path) && !(first.path in fields)) {
    writeLeaf(new DataView(bytes.buffer), first, BigInt(bytes.length));
  }
  return bytes;
}

/** A list tells its own length. */
function fillCount(head: Uint8Array<ArrayBuffer>, own: readonly Leaf[], fields: FieldTexts): void {
  const leaf = own.find(({ path }) => path === "count");
  const list = fields["data"] ?? fields["group_fds"];
  if (leaf === undefined || list === undefined || "count" in fields) return;
  writeLeaf(new DataView(head.buffer), leaf, BigInt(listOf(list).length));
}

function listOf(text: string | undefined): bigint[] {
  const inner = /^\[(.*)\]$/s.exec(text?.trim() ?? "[]")?.[1];
  if (inner === undefined) throw new TypeError(`A list is written [3, -1]; got ${text}`);
  if (inner.trim() === "") return [];
  return inner.split(",").map((item) => parseInteger(item.trim()));
}

function extended(head: Uint8Array, extra: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(head.length + extra);
  bytes.set(head);
  return bytes;
}

function fill(bytes: Uint8Array<ArrayBuffer>, leaves: readonly Leaf[], fields: FieldTexts): void {
  const view = new DataView(bytes.buffer);
  for (const leaf of leaves) {
    const text = Object.hasOwn(fields, leaf.path) ? fields[leaf.path] : undefined;
    if (text !== undefined) writeLeaf(view, leaf, valueOf(leaf, text));
  }
}

function valueOf({ path, key }: Leaf, text: string): bigint {
  try {
    return FIELD_TEXT[key]?.read(text) ?? parseInteger(text);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new TypeError(`${path}: ${error.message}`);
  }
}
