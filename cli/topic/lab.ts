import type { Topic } from "../topics.ts";

/** What `pinscope help lab` says. */
export const LAB: Topic = {
  name: "lab",
  about: "a real kernel in a virtual machine, or your own",
  commands: ["conform", "replay"],
  text: `The model answers as real kernels did, and is no proof. A checkout of Pinscope
has a lab: a real kernel in QEMU, with an IOMMU and devices that are bound to
vfio-pci, in about ten seconds, without root, KVM or hardware.

  deno task lab run pinscope info                   this program, inside
  deno task lab run examples/05_dirty_runs.ts 0000:00:10.0
  deno task lab run --kernel PATH --modules DIR SCRIPT      your own kernel
  deno task lab test                                the project's kernel tests

It needs Debian's packages qemu-system-x86, busybox-static and xz-utils.
What a kernel answers to hundreds of questions, beside what others did:
  pinscope conform
A session that went wrong, made again on the model or another kernel:
  pinscope dirty DEVICE --trace t.jsonl
  pinscope replay t.jsonl --model`,
};
