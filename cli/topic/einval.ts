import type { Topic } from "../topics.ts";

/** What `pinscope help einval` says. */
export const EINVAL: Topic = {
  name: "einval",
  about: "what to do with an EINVAL",
  commands: ["decode", "plan", "replay"],
  text: `Nearly everything that VFIO refuses is EINVAL, and the kernel does not say why.
What it looks at:

mapping    iova, size and address are multiples of the smallest page, size is
           not 0, a right is given; the range lies in the IOVA ranges of the
           container (pinscope info DEVICE): on x86, 0xfee00000 to 0xfeefffff
           is for interrupts.
unmapping  the range cuts a mapping: type1 v2 takes whole ones only.
bitmap     the page size is not the container's smallest; the bitmap is too
           short for the pages, or longer than 256 MiB; the range begins or
           ends inside a mapping; tracking was not started.
set-up     no group attached yet, or the IOMMU type set already.

Close relatives: EEXIST is an overlap, ENOSPC too many mappings, ENOMEM the
memory limit, EBUSY somebody has it open, ENOTTY a request that this kernel or
driver does not know.
  pinscope plan --map 4G:64G DEVICE    which rule stops it, before it is asked
  pinscope COMMAND --verbose           each request with its fields, as made
  strace -y -e ioctl ./a 2>&1 | pinscope decode      another program's
In a script, container.explain(request) lists every rule that a request breaks.`,
};
