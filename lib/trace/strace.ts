/**
 * The ioctls of VFIO and iommufd in what strace writes: with the kind of their descriptor, which
 * tells requests apart that share a number.
 *
 * @module
 */

import { REQUESTS } from "../uapi/decode_table.ts";
import { describeRequest, type FdKind, requestName } from "../uapi/decode.ts";
import { VFIO_GROUP_GET_DEVICE_FD } from "../uapi/request.ts";
import { VFIO_TYPE } from "../uapi/flag.ts";
import { kindOfPath } from "./files.ts";
import { fdKindOf, type FileKind } from "./record.ts";
import { argumentBytes, parseCall, pathOf, type StraceCall } from "./strace_call.ts";

/** A request that strace saw. */
export interface StraceIoctl {
  /** The descriptor. */
  readonly fd: number;
  /** What the descriptor is; absent where neither its path nor its requests tell. */
  readonly kind?: FdKind;
  /** The number of the request. */
  readonly request: number;
  /** The C name; several where the kind is not known, and they share the number. */
  readonly names: readonly string[];
  /** The fields, of a value or of bytes that strace printed; of a pointer it prints the address only. */
  readonly fields: Readonly<Record<string, string>>;
  /** The argument as strace printed it. */
  readonly argument?: string;
  /** What it gave, as "0" or "EINVAL"; absent for a call without an end. */
  readonly result?: string;
}

/** From there on the numbers are iommufd's; a container answers them too where iommufd is behind it. */
const IOMMUFD_BASE = 0x80;
const KINDS = Object.keys(REQUESTS) as FdKind[];

/** Numbers by name; the same name has one number on every kind. */
const NUMBERS: ReadonlyMap<string, number> = new Map(
  KINDS.flatMap((kind) => [...REQUESTS[kind]].map(([number, { name }]) => [name, number])),
);

/**
 * Reads strace's output line by line; it remembers which file a descriptor is, by `-y` or by the
 * calls that open and close it.
 *
 * @example What shares a number
 * ```ts
 * import { StraceReader } from "@pinscope/vfio/trace";
 *
 * const reader = new StraceReader();
 * reader.line('openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR|O_CLOEXEC) = 12');
 * const seen = reader.line("ioctl(12, VFIO_DEVICE_PCI_HOT_RESET or VFIO_IOMMU_MAP_DMA, 0x7ffd) = 0");
 * if (seen?.names.join() !== "VFIO_IOMMU_MAP_DMA") throw new Error("12 is a container");
 * ```
 */
export class StraceReader {
  readonly #files = new Map<number, FileKind>();
  /** Calls whose end another line brings, by the process that is named in front. */
  readonly #unfinished = new Map<string, string>();

  /**
   * Reads the next line.
   *
   * @returns The request, or undefined for any other line.
   */
  line(text: string): StraceIoctl | undefined {
    const call = parseCall(text, this.#unfinished);
    if (call === undefined) return undefined;
    if (call.name === "ioctl") return this.#ioctl(call);
    const { name, args, result } = call;
    if (name === "close" && result === "0") this.#files.delete(Number(args));
    if (name !== "open" && name !== "openat" && name !== "openat2") return undefined;
    const path = pathOf(args);
    const fd = Number(result ?? NaN);
    if (path !== undefined && Number.isInteger(fd)) this.#files.set(fd, kindOfPath(path));
    return undefined;
  }

  #ioctl({ args, result }: StraceCall): StraceIoctl | undefined {
    const parts = /^(-?(?:0x[0-9a-f]+|\d+))(?:<(.+?)>)?, (.*)$/is.exec(args);
    const asked = parts === null ? undefined : requestOf(parts[3] ?? "");
    if (parts === null || asked === undefined) return undefined;
    const fd = Number(parts[1]);
    const { request, argument } = asked;
    // Neither VFIO's nor iommufd's: other drivers have their ioctls too.
    if ((request >> 8 & 0xff) !== VFIO_TYPE) return undefined;
    const kind = this.#kind(fd, parts[2], request);
    if (kind === "group" && request === VFIO_GROUP_GET_DEVICE_FD && /^\d+$/.test(result ?? "")) {
      this.#files.set(Number(result), "device");
    }
    return {
      fd,
      ...(kind === undefined ? {} : { kind }),
      request,
      names: kind === undefined ? namesOf(request) : [requestName(kind, request)],
      fields: fieldsOf(kind ?? onlyKind(request), request, argument),
      ...(argument === undefined ? {} : { argument }),
      ...(result === undefined ? {} : { result }),
    };
  }

  /** By the path, or by what the descriptor was asked for: `-e trace=ioctl` shows nothing else. */
  #kind(fd: number, path: string | undefined, request: number): FdKind | undefined {
    const file = path === undefined ? this.#files.get(fd) : annotated(path);
    if (file !== undefined) return fdKindOf(file);
    const kind = onlyKind(request);
    if (kind !== undefined && fd >= 0) this.#files.set(fd, kind);
    return kind;
  }
}

/** What strace's `-y` says behind a descriptor: a path, perhaps with the device's number. */
function annotated(text: string): FileKind {
  if (/^anon_inode:\[vfio-device\]/.test(text)) return "device";
  if (/^anon_inode:\[eventfd/.test(text)) return "eventfd";
  return kindOfPath(text.replace(/<.*$/, ""));
}

/** The request and what stands behind it. */
function requestOf(text: string): { request: number; argument?: string } | undefined {
  const number = /^(0x[0-9a-f]+|\d+)(?: \/\*.*?\*\/)?(?:, (.*))?$/is.exec(text);
  if (number !== null) return withArgument(Number(number[1]), number[2]);
  const made = /^_IOC\(([A-Z_|0-9x]+), (\w+), (\w+), (\w+)\)(?:, (.*))?$/is.exec(text);
  if (made !== null) {
    const [, direction = "", type, count, size, argument] = made;
    const bits = (direction.includes("_WRITE") ? 1 : 0) | (direction.includes("_READ") ? 2 : 0);
    const low = Number(size) << 16 | Number(type) << 8 | Number(count);
    return withArgument((bits << 30 | low) >>> 0, argument);
  }
  const named = /^([A-Z]\w*)(?: or \w+)*(?:, (.*))?$/s.exec(text);
  const request = NUMBERS.get(named?.[1] ?? "");
  return request === undefined ? undefined : withArgument(request, named?.[2]);
}

const withArgument = (
  request: number,
  argument: string | undefined,
): { request: number; argument?: string } =>
  argument === undefined || argument === "" ? { request } : { request, argument };

function kindsWith(request: number): FdKind[] {
  return KINDS.filter((kind) => !requestName(kind, request).startsWith("0x"));
}

/** The kind that a request alone tells. */
function onlyKind(request: number): FdKind | undefined {
  const kinds = kindsWith(request);
  const [first] = kinds;
  if (first === undefined || namesOf(request).length > 1) return undefined;
  return (request & 0xff) >= IOMMUFD_BASE ? "iommufd" : first;
}

function namesOf(request: number): string[] {
  const names = new Set(kindsWith(request).map((kind) => requestName(kind, request)));
  return names.size === 0 ? [`0x${request.toString(16)}`] : [...names];
}

function fieldsOf(
  kind: FdKind | undefined,
  request: number,
  argument: string | undefined,
): Readonly<Record<string, string>> {
  if (kind === undefined || argument === undefined) return {};
  const bytes = argumentBytes(argument);
  if (bytes !== undefined) return describeRequest(kind, request, bytes).fields;
  const value = /^(0x[0-9a-f]+|\d+)/i.exec(argument)?.[1];
  return value === undefined ? {} : describeRequest(kind, request, Number(value)).fields;
}
