/**
 * Which processes of the host hold VFIO.
 *
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import type { PinSnapshot } from "../pins/snapshot.ts";
import type { Kernel } from "../sys/kernel.ts";
import { kernelOf } from "./kernel_option.ts";
import { readLine } from "../sys/text.ts";
import { readPins } from "./pins.ts";
import { type DeviceId, readGroup } from "./topology.ts";

/** A container that a process has open. */
export interface HeldContainer {
  /** The same number for the same container, also in another process. */
  readonly id: number;
  /** The process's descriptors of it. */
  readonly fds: readonly number[];
}

/** A group that a process has open. */
export interface HeldGroup {
  /** The number in /dev/vfio/<number>. */
  readonly number: number;
  /** The process's descriptors of it. */
  readonly fds: readonly number[];
  /** The devices in it; undefined where sysfs does not know the group. */
  readonly devices: readonly DeviceId[] | undefined;
}

/** A device that a process has open. */
export interface HeldDevice {
  /** The process's descriptor. */
  readonly fd: number;
  /** As sysfs names it; undefined before Linux v6.18, which does not tell. */
  readonly name: string | undefined;
}

/** A process that has something of VFIO open. */
export interface VfioHolder {
  /** Its number. */
  readonly pid: number;
  /** What it has locked; undefined if it vanished meanwhile. */
  readonly pins: PinSnapshot | undefined;
  /** Containers, by number. */
  readonly containers: readonly HeldContainer[];
  /** Groups, by number. */
  readonly groups: readonly HeldGroup[];
  /** Devices, by descriptor. */
  readonly devices: readonly HeldDevice[];
  /** Descriptors of /dev/iommu and of device nodes below /dev/vfio/devices. */
  readonly iommufds: readonly number[];
}

/** Who holds VFIO, and what could not be seen. */
export interface Holders {
  /** By process number. */
  readonly holders: readonly VfioHolder[];
  /** Processes that may not be looked into. */
  readonly forbidden: readonly number[];
  /** Processes that ended while they were looked into. */
  readonly vanished: readonly number[];
  /** What this kernel does not tell, as sentences without their ends. */
  readonly notes: readonly string[];
}

const CONTAINER = "/dev/vfio/vfio";
const GROUP = /^\/dev\/vfio\/(?:noiommu-)?(\d+)$/;
const DEVICE = "anon_inode:[vfio-device]";
const IOMMUFD = /^\/dev\/(?:iommu$|vfio\/devices\/)/;

/** An open file of a process. */
interface Handle {
  readonly pid: number;
  readonly fd: number;
}

/** Tells open files apart: descriptors may be copies of one another, also across processes. */
class Identity {
  readonly #kernel: Kernel;
  readonly #known: Handle[] = [];
  /** The error of a comparison that was refused. */
  refused: number | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** A number that is the same for the same open file. */
  of(handle: Handle): number {
    const index = this.#known.findIndex((other) => this.#same(handle, other));
    return index >= 0 ? index + 1 : this.#known.push(handle);
  }

  #same(a: Handle, b: Handle): boolean {
    const result = this.#kernel.sameFile(a.pid, a.fd, b.pid, b.fd);
    if (result < 0) this.refused = -result;
    return result === 0;
  }
}

/**
 * Finds the processes that have a container, a group, a device or iommufd open.
 *
 * @param options `kernel`: the running kernel by default, or a model of one.
 * @see fs/proc/fd.c; kernel/kcmp.c, kcmp; drivers/vfio/vfio_main.c, vfio_device_show_fdinfo
 */
export function listHolders(options?: { readonly kernel?: Kernel }): Holders {
  const kernel = kernelOf(options);
  using _held = kernel.retain();
  const identity = new Identity(kernel);
  const holders: VfioHolder[] = [];
  const forbidden: number[] = [];
  const vanished: number[] = [];
  const names = kernel.list("/proc");
  const pids = (typeof names === "number" ? [] : names).filter((name) => /^\d+$/.test(name));
  for (const pid of pids.map(Number).sort((a, b) => a - b)) {
    const fds = kernel.list(`/proc/${pid}/fd`);
    if (fds === -ERRNO.EACCES || fds === -ERRNO.EPERM) forbidden.push(pid);
    else if (typeof fds === "number") vanished.push(pid);
    else {
      const holder = lookInto(kernel, identity, pid, fds.map(Number).sort((a, b) => a - b));
      if (holder !== undefined) holders.push(holder);
    }
  }
  return { holders, forbidden, vanished, notes: notesOf(identity, holders) };
}

function lookInto(
  kernel: Kernel,
  identity: Identity,
  pid: number,
  fds: readonly number[],
): VfioHolder | undefined {
  const containers = new Map<number, number[]>();
  const groups = new Map<number, number[]>();
  const devices: HeldDevice[] = [];
  const iommufds: number[] = [];
  const add = (map: Map<number, number[]>, key: number, fd: number): void =>
    void map.set(key, [...map.get(key) ?? [], fd]);
  for (const fd of fds) {
    const target = kernel.readlink(`/proc/${pid}/fd/${fd}`);
    if (typeof target === "number") continue; // closed meanwhile
    const group = GROUP.exec(target)?.[1];
    if (target === CONTAINER) add(containers, identity.of({ pid, fd }), fd);
    else if (group !== undefined) add(groups, Number(group), fd);
    else if (target === DEVICE) devices.push({ fd, name: deviceName(kernel, pid, fd) });
    else if (IOMMUFD.test(target)) iommufds.push(fd);
  }
  if (containers.size + groups.size + devices.length + iommufds.length === 0) return undefined;
  return {
    pid,
    pins: readPins(kernel, undefined, pid),
    containers: [...containers].map(([id, own]) => ({ id, fds: own })),
    groups: [...groups].map(([number, own]) => ({
      number,
      fds: own,
      devices: devicesOf(kernel, number),
    })),
    devices,
    iommufds,
  };
}

/** The line "vfio-device-syspath", which Linux has since v6.18. */
function deviceName(kernel: Kernel, pid: number, fd: number): string | undefined {
  const text = readLine(kernel, `/proc/${pid}/fdinfo/${fd}`) ?? "";
  return /^vfio-device-syspath:\s*\S*\/(\S+)$/m.exec(text)?.[1];
}

function devicesOf(kernel: Kernel, number: number): readonly DeviceId[] | undefined {
  const known = Array.isArray(kernel.list(`/sys/kernel/iommu_groups/${number}/devices`));
  return known ? readGroup(kernel, number).devices : undefined;
}

function notesOf(identity: Identity, holders: readonly VfioHolder[]): string[] {
  const notes: string[] = [];
  if (identity.refused !== undefined) {
    notes.push(
      "containers of some processes could not be told apart (kcmp refused), so that copies of " +
        "one count as several",
    );
  }
  if (holders.some(({ devices }) => devices.some(({ name }) => name === undefined))) {
    notes.push("this kernel does not tell which device a descriptor is for; Linux v6.18 does");
  }
  if (holders.some(({ groups }) => groups.length > 0)) {
    notes.push("no kernel tells which container a group is in");
  }
  return notes;
}
