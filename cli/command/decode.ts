import type { CommandRow } from "../option.ts";

/** What help and the manual page say of `pinscope decode`. */
export const DECODE: CommandRow = {
  name: "decode",
  load: async () => (await import("../decode.ts")).decode,
  operands: "[REQUEST...]",
  count: [0, Infinity],
  words: ["container", "spapr-container", "group", "device", "iommufd", "migration"],
  about: "requests by name: from bytes, strace, traces; and back",
  text: `KIND NUMBER [HEX...]: names a request and its fields. KIND is what the
descriptor is, for numbers mean another thing on each: container,
spapr-container, group, device, iommufd or migration. NUMBER may be a C name.
HEX is the bytes of the struct (ff*8 for eight times ff), or 0x and a value.
--encode KIND NUMBER [FIELD=VALUE...]: from names to bytes.

Without REQUEST: reads lines of strace, or of a trace, on stdin. strace -y
tells what a descriptor is; so do the calls that opened it. It prints no
structs: of a pointer there is the address only.`,
  options: [{ name: "encode", kind: "flag", about: "the other way: from fields to bytes" }],
  examples: [
    [`decode container 0x3b75 0800000001000000`, "what these bytes ask for"],
    ["decode --encode container VFIO_SET_IOMMU argument=TYPE1v2", "and back"],
    ["decode < a.log", "what a program asked for: strace -y -e ioctl -o a.log ./a"],
    ["decode < t.jsonl", "a trace to read"],
  ],
};
