/**
 * What of the host would lose its device: mounted disks, swap, network interfaces that are up.
 *
 * @module
 */

import { ERRNO } from "../base/errno.ts";
import { O_CLOEXEC, O_EXCL, O_RDONLY } from "../sys/constant.ts";
import type { Kernel } from "../sys/kernel.ts";
import { kernelOf } from "./kernel_option.ts";
import { readLine, readText } from "../sys/text.ts";

/** One use of a device by the host. */
export interface DeviceUse {
  /**
   * `mount` and `swap`: a disk of it, one on top of it, or a folder shared through it; `exclusive`: something else holds a disk,
   * as ZFS does; `network`: an interface that is up; `functions`: virtual functions of it.
   */
  readonly kind: "mount" | "swap" | "exclusive" | "network" | "functions";
  /** The disk, the shared folder's tag, the interface, or the number of functions. */
  readonly name: string;
  /** The use in words, as "interface eth0 is up". */
  readonly text: string;
  /** What ends the use, to be typed as root; undefined for the root filesystem. */
  readonly remedy: string | undefined;
}

const IFF_UP = 1;

/**
 * Finds what the host uses a PCI device for, as far as sysfs and /proc tell. An empty list is no
 * promise: a program may use a device in a way that they do not show.
 *
 * @param device A PCI address, as sysfs writes it.
 * @param options `kernel`: the running kernel by default, or a model of one.
 *
 * @example A disk that the host runs from
 * ```ts
 * import { usesOf } from "@pinscope/vfio";
 * import { ModelKernel } from "@pinscope/vfio/model";
 *
 * const [use] = usesOf("0000:00:04.0", { kernel: new ModelKernel() });
 * if (use?.text !== "nvme0n1p1 is mounted on /") throw new Error("the root filesystem");
 * ```
 */
export function usesOf(device: string, options?: { readonly kernel?: Kernel }): DeviceUse[] {
  const kernel = kernelOf(options);
  using _held = kernel.retain();
  const disks = disksOf(kernel, device);
  return [
    ...mounts(kernel, disks, sharesOf(kernel, device)),
    ...swaps(kernel, disks),
    ...interfaces(kernel, device),
    ...functions(kernel, device),
  ];
}

/**
 * Finds disks of a device that something has claimed: the kernel lets a disk be opened exclusively
 * only if nothing else holds it, or a part of it. For a moment this claims the disk.
 */
export function claimsOn(kernel: Kernel, device: string): DeviceUse[] {
  const isHeld = ({ name }: Disk): boolean => {
    const fd = kernel.open(`/dev/${name}`, O_RDONLY | O_EXCL | O_CLOEXEC);
    if (fd >= 0) kernel.close(fd);
    return fd === -ERRNO.EBUSY;
  };
  return disksOf(kernel, device).filter(isHeld).map(({ name }) => ({
    kind: "exclusive",
    name,
    text: `something holds ${name}`,
    remedy: `lsblk /dev/${name}`,
  }));
}

const list = (kernel: Kernel, path: string): string[] => {
  const names = kernel.list(path);
  return typeof names === "number" ? [] : names;
};

/** Whether the link in sysfs leads to something below the device. */
function isBelow(kernel: Kernel, link: string, device: string): boolean {
  const target = kernel.readlink(link);
  return typeof target === "string" && target.split("/").includes(device);
}

/** A disk, a partition of it, or a disk made on top of one. */
interface Disk {
  readonly name: string;
  /** Major and minor number, as "259:1". */
  readonly number: string | undefined;
  /** The name below /dev/mapper, if it has one. */
  readonly mapper: string | undefined;
}

/** Every disk and partition of a device, with what device-mapper, md and others made of them. */
function disksOf(kernel: Kernel, device: string): Disk[] {
  const found = new Map<string, Disk>();
  const visit = (name: string, path: string): void => {
    if (found.has(name)) return;
    found.set(name, {
      name,
      number: readLine(kernel, `${path}/dev`),
      mapper: readLine(kernel, `${path}/dm/name`),
    });
    for (const holder of list(kernel, `${path}/holders`)) visit(holder, `/sys/block/${holder}`);
    for (const entry of list(kernel, path)) {
      const part = `${path}/${entry}`;
      if (entry.startsWith(name) && readLine(kernel, `${part}/partition`) !== undefined) {
        visit(entry, part);
      }
    }
    // With NVMe multipath the device has a hidden path, and the disk itself belongs to no device.
    const path0 = /^nvme(\d+)c\d+n(\d+)$/.exec(name);
    if (path0 !== null) visitDisk(`nvme${path0[1]}n${path0[2]}`);
  };
  const visitDisk = (name: string): void => visit(name, `/sys/block/${name}`);
  list(kernel, "/sys/block").filter((name) => isBelow(kernel, `/sys/block/${name}`, device))
    .forEach(visitDisk);
  return [...found.values()];
}

const wholeText = (kernel: Kernel, path: string): string => {
  const got = readText(kernel, path);
  return typeof got === "string" ? got : "";
};

/** The tags of folders that a virtual machine's host shares through the device. */
function sharesOf(kernel: Kernel, device: string): string[] {
  const path = `/sys/bus/pci/devices/${device}`;
  const files = [
    ...list(kernel, path).map((name) => `${path}/${name}/mount_tag`), // 9p
    ...list(kernel, "/sys/fs/virtiofs")
      .filter((name) => isBelow(kernel, `/sys/fs/virtiofs/${name}/device`, device))
      .map((name) => `/sys/fs/virtiofs/${name}/tag`),
  ];
  return files.map((file) => readLine(kernel, file)?.replace(/\0.*$/s, "") ?? "")
    .filter((tag) => tag !== "");
}

/** Mount points by device number, and by source where a filesystem has a number of its own. */
function mounts(
  kernel: Kernel,
  disks: readonly Disk[],
  shares: readonly string[],
): DeviceUse[] {
  const uses: DeviceUse[] = [];
  for (const line of wholeText(kernel, "/proc/self/mountinfo").split("\n")) {
    const fields = line.split(" ");
    const [, , number, , point] = fields;
    if (number === undefined || point === undefined) continue;
    // Behind a number of optional fields stand "-", the type and the source.
    const [type = "", source = ""] = fields.slice(fields.indexOf("-", 6) + 1);
    const disk = disks.find((disk) => disk.number === number || isSource(disk, source));
    const share = /^(9p|virtiofs)$/.test(type) && shares.includes(unescape(source));
    const name = disk?.name ?? (share ? unescape(source) : undefined);
    if (name === undefined) continue;
    const where = unescape(point);
    const text = `${name} is mounted on ${where}`;
    const remedy = where === "/" ? undefined : `umount ${where}`;
    uses.push({ kind: "mount", name, text, remedy });
  }
  return uses;
}

const isSource = ({ name, mapper }: Disk, source: string): boolean =>
  source === `/dev/${name}` || (mapper !== undefined && source === `/dev/mapper/${mapper}`);

/** Names in mountinfo have blanks and backslashes as octal numbers. */
const unescape = (name: string): string =>
  name.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));

function swaps(kernel: Kernel, disks: readonly Disk[]): DeviceUse[] {
  const sources = wholeText(kernel, "/proc/swaps").split("\n").map((line) =>
    line.split(/\s/)[0] ?? ""
  );
  return disks.filter((disk) => sources.some((source) => isSource(disk, source)))
    .map(({ name }) => ({
      kind: "swap",
      name,
      text: `${name} is swap space`,
      remedy: `swapoff /dev/${name}`,
    }));
}

function interfaces(kernel: Kernel, device: string): DeviceUse[] {
  return list(kernel, "/sys/class/net")
    .filter((name) => isBelow(kernel, `/sys/class/net/${name}`, device))
    .filter((name) => (Number(readLine(kernel, `/sys/class/net/${name}/flags`)) & IFF_UP) !== 0)
    .map((name) => ({
      kind: "network",
      name,
      text: `interface ${name} is up`,
      remedy: `ip link set ${name} down`,
    }));
}

/** Taking the driver from a physical function removes its virtual ones. */
function functions(kernel: Kernel, device: string): DeviceUse[] {
  const file = `/sys/bus/pci/devices/${device}/sriov_numvfs`;
  const count = readLine(kernel, file);
  if (count === undefined || count === "0") return [];
  const text = `it has ${count} virtual functions`;
  return [{ kind: "functions", name: count, text, remedy: `echo 0 > ${file}` }];
}
