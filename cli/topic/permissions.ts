import type { Topic } from "../topics.ts";

/** What `pinscope help permissions` says. */
export const PERMISSIONS: Topic = {
  name: "permissions",
  about: "what Deno, the user and the kernel must allow",
  commands: ["info", "bind", "unbind", "mdev", "pins"],
  text: `Deno     --allow-ffi, to call libc. It is as strong as full access: whoever has
         it may do whatever the user may. Files besides (--save, --from, -o,
         --trace) need --allow-write and --allow-read, which give nothing
         away beside it. --model needs nothing.
user     root for bind, unbind and mdev create. To use a device that is bound,
         the right to open its group: sudo chown USER /dev/vfio/12
limit    a user's mappings count against ulimit -l: pinscope help accounts.
kernel   an IOMMU that is on (intel_iommu=on or amd_iommu=on, and in the
         firmware), and the module: modprobe vfio-pci
others   pins shows all of other users' processes to root only.

  pinscope info                 what is missing here, and what to type`,
};
