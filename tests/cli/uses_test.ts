import { usesOf } from "../../mod.ts";
import { equal } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { type Entry, FakeSysfs } from "./fake_sysfs.ts";

const DISK = "0000:00:04.0";
const BELOW = `../devices/pci0000:00/${DISK}`;

/** A disk with two partitions, the second of which an encrypted volume lies on. */
const SDA: Readonly<Record<string, Entry>> = {
  "/sys/block/sda": { link: `${BELOW}/ata1/host0/target0:0:0/0:0:0:0/block/sda` },
  "/sys/block/sda/dev": "8:0\n",
  "/sys/block/sda/queue/rotational": "0\n",
  "/sys/block/sda/sda1/partition": "1\n",
  "/sys/block/sda/sda1/dev": "8:1\n",
  "/sys/block/sda/sda2/partition": "2\n",
  "/sys/block/sda/sda2/dev": "8:2\n",
  "/sys/block/sda/sda2/holders/dm-0": { link: "../../../virtual/block/dm-0" },
  "/sys/block/dm-0": { link: "../devices/virtual/block/dm-0" },
  "/sys/block/dm-0/dev": "254:0\n",
  "/sys/block/dm-0/dm/name": "home\n",
  "/sys/block/sdb": { link: "../devices/pci0000:00/0000:00:05.0/ata2/block/sdb" },
  "/sys/block/sdb/dev": "8:16\n",
};

const mountinfo = (...lines: readonly string[]): string =>
  ["22 1 0:21 / /proc rw shared:5 - proc proc rw", ...lines, ""].join("\n");

function texts(entries: Readonly<Record<string, Entry>>, device = DISK): (readonly string[])[] {
  const { kernel } = new FakeSysfs(entries);
  return usesOf(device, { kernel }).map(({ kind, text, remedy }) => [kind, text, remedy ?? ""]);
}

describe("usesOf", () => {
  it("finds nothing on a free disk", () => {
    equal(texts({ ...SDA, "/proc/self/mountinfo": mountinfo() }), []);
  });

  it("finds a partition that is mounted, by its number", () => {
    const line = "30 1 8:1 / /boot rw,relatime shared:1 - ext4 /dev/disk/by-uuid/1 rw";
    equal(texts({ ...SDA, "/proc/self/mountinfo": mountinfo(line) }), [
      ["mount", "sda1 is mounted on /boot", "umount /boot"],
    ]);
  });

  it("finds a filesystem with a number of its own by its source, as btrfs has", () => {
    const line = "30 1 0:44 /@ /data rw shared:1 master:2 - btrfs /dev/sda1 rw,subvol=/@";
    equal(texts({ ...SDA, "/proc/self/mountinfo": mountinfo(line) }), [
      ["mount", "sda1 is mounted on /data", "umount /data"],
    ]);
  });

  it("finds what lies on top of a partition", () => {
    const number = "31 1 254:0 / /home rw shared:1 - ext4 /dev/mapper/home rw";
    const source = "31 1 0:50 / /home rw - btrfs /dev/mapper/home rw";
    for (const line of [number, source]) {
      equal(texts({ ...SDA, "/proc/self/mountinfo": mountinfo(line) }), [
        ["mount", "dm-0 is mounted on /home", "umount /home"],
      ]);
    }
  });

  it("offers no remedy for the root filesystem", () => {
    const line = "26 1 8:1 / / rw - ext4 /dev/sda1 rw";
    equal(texts({ ...SDA, "/proc/self/mountinfo": mountinfo(line) }), [
      ["mount", "sda1 is mounted on /", ""],
    ]);
  });

  it("writes blanks in a mount point as blanks", () => {
    const line = "26 1 8:1 / /my\\040disk rw - ext4 /dev/sda1 rw";
    equal(
      texts({ ...SDA, "/proc/self/mountinfo": mountinfo(line) })[0]?.[1],
      "sda1 is mounted on /my disk",
    );
  });

  it("finds swap on a partition and on a volume", () => {
    const swaps =
      "Filename\tType\tSize\tUsed\tPriority\n/dev/sda1  partition\t1\t0\t-2\n/dev/dm-0 x\n";
    equal(texts({ ...SDA, "/proc/swaps": swaps }), [
      ["swap", "sda1 is swap space", "swapoff /dev/sda1"],
      ["swap", "dm-0 is swap space", "swapoff /dev/dm-0"],
    ]);
  });

  it("finds the disk behind the hidden path of NVMe multipath", () => {
    const line = "26 1 259:2 / /srv rw - xfs /dev/nvme0n1p1 rw";
    equal(
      texts({
        "/sys/block/nvme0c0n1": { link: `${BELOW}/nvme/nvme0/nvme0c0n1` },
        "/sys/block/nvme0c0n1/hidden": "1\n",
        "/sys/block/nvme0n1": { link: "../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1" },
        "/sys/block/nvme0n1/dev": "259:1\n",
        "/sys/block/nvme0n1/nvme0n1p1/partition": "1\n",
        "/sys/block/nvme0n1/nvme0n1p1/dev": "259:2\n",
        "/proc/self/mountinfo": mountinfo(line),
      }),
      [["mount", "nvme0n1p1 is mounted on /srv", "umount /srv"]],
    );
  });

  it("finds a folder that the host of a virtual machine shares", () => {
    const shares: Readonly<Record<string, Entry>> = {
      [`/sys/bus/pci/devices/${DISK}/virtio1/mount_tag`]: "work dir\0",
      "/sys/fs/virtiofs/2/device": { link: `../../../devices/pci0000:00/${DISK}/virtio2` },
      "/sys/fs/virtiofs/2/tag": "home\n",
      "/sys/fs/virtiofs/3/device": { link: "../../../devices/pci0000:00/0000:00:05.0/virtio3" },
      "/sys/fs/virtiofs/3/tag": "other\n",
    };
    const lines = [
      "30 1 0:40 / /work rw - 9p work\\040dir rw,trans=virtio",
      "31 1 0:41 / /home rw - virtiofs home rw",
      "32 1 0:42 / /other rw - virtiofs other rw",
      "33 1 0:43 / /tmp rw - tmpfs home rw",
    ];
    equal(
      texts({ ...shares, "/proc/self/mountinfo": mountinfo(...lines) }).map(([, text]) => text),
      [
        "work dir is mounted on /work",
        "home is mounted on /home",
      ],
    );
  });

  it("leaves disks of other devices alone", () => {
    const line = "26 1 8:16 / /srv rw - xfs /dev/sdb rw";
    equal(texts({ ...SDA, "/proc/self/mountinfo": mountinfo(line) }), []);
  });

  it("finds interfaces that are up, also behind a bus of their own", () => {
    const entries = {
      "/sys/class/net/eth0": { link: `../..${BELOW.slice(2)}/virtio0/net/eth0` },
      "/sys/class/net/eth0/flags": "0x1003\n",
      "/sys/class/net/eth1": { link: `../..${BELOW.slice(2)}/virtio0/net/eth1` },
      "/sys/class/net/eth1/flags": "0x1002\n",
      "/sys/class/net/lo": { link: "../../devices/virtual/net/lo" },
      "/sys/class/net/lo/flags": "0x9\n",
    };
    equal(texts(entries), [["network", "interface eth0 is up", "ip link set eth0 down"]]);
  });

  it("finds virtual functions", () => {
    const file = `/sys/bus/pci/devices/${DISK}/sriov_numvfs`;
    equal(texts({ [file]: "0\n" }), []);
    equal(texts({ [file]: "4\n" }), [
      ["functions", "it has 4 virtual functions", `echo 0 > ${file}`],
    ]);
  });
});
