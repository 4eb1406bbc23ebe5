import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { profileNamed, profiles } from "./profiles.ts";
import { kernelLine, type Machine, qemuArguments } from "./qemu.ts";

const [plain] = profiles;
if (plain === undefined) throw new Error("there is no profile");
const machine: Machine = {
  kernel: "/k",
  initrd: "/i",
  profile: plain,
  accel: "tcg",
  memory: 512,
  cpus: 2,
  append: "",
  verbose: false,
  shares: [{ tag: "job", folder: "/j,k", writable: true }, {
    tag: "project",
    folder: "/p",
    writable: false,
  }],
  console: "/c",
};

describe("the QEMU command line", () => {
  it("shares folders read-only unless told otherwise, and keeps commas in names", () => {
    const shares = qemuArguments(machine).filter((arg) => arg.startsWith("local,"));
    ok(shares[0]?.includes("path=/j,,k,") && !shares[0].includes("readonly"));
    ok(shares[1]?.includes("readonly=on"));
  });

  it("gives the profile its IOMMU and devices", () => {
    const profile = profileNamed("intremap_off") ?? plain;
    ok(qemuArguments(machine).includes("intel-iommu,intremap=on"));
    const args = qemuArguments({ ...machine, profile });
    ok(args.includes("intel-iommu,intremap=off") && args.includes("edu,addr=0x10"));
  });

  it("leaves the IOMMU out where the profile has none", () => {
    const args = qemuArguments({ ...machine, profile: profileNamed("mock") ?? plain });
    equal(args.filter((arg) => /^(intel-iommu|edu)/.test(arg)), []);
  });

  it("gives parameters of a built-in type1 on the kernel's line, the user's words last", () => {
    const profile = profileNamed("entry_limit") ?? plain;
    const line = kernelLine({ ...machine, profile, append: "nokaslr" });
    equal(line.endsWith("vfio_iommu_type1.dma_entry_limit=100 nokaslr"), true);
    ok(line.includes(" quiet ") && !kernelLine({ ...machine, verbose: true }).includes("quiet"));
  });

  it("puts the console into a file, or on the terminal", () => {
    ok(qemuArguments(machine).includes("file:/c"));
    ok(qemuArguments({ ...machine, console: undefined }).includes("mon:stdio"));
  });
});
