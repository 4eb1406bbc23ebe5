// A command of pinscope whose read of dirty pages stops half-way in the kernel and holds the container's
// lock: the page that the bitmap is copied to is missing, and its fault waits for a user who never
// answers (userfaultfd). usage: stuck.ts ARGUMENT...
import { type AsideRequest, rawLinux as linux } from "../../../../mod.ts";
import { main } from "../../../../cli/main.ts";

const NEW = 0xaa00; //            USERFAULTFD_IOC_NEW, include/uapi/linux/userfaultfd.h
const API = 0xc018aa3f; //        UFFDIO_API
const REGISTER = 0xc020aa00; //   UFFDIO_REGISTER
const MISSING = 1n; //            UFFDIO_REGISTER_MODE_MISSING
const O_RDWR = 2;
const PAGE = 4096n;

function done(result: number, what: string): number {
  if (result < 0) throw new Error(`${what} failed: ${result}`);
  return result;
}

/** Makes the page at an address wait for a user when it is touched. */
function trap(address: bigint): void {
  const device = done(linux.open("/dev/userfaultfd", O_RDWR), "open /dev/userfaultfd");
  const fd = done(linux.ioctlValue(device, NEW, 0n), "USERFAULTFD_IOC_NEW");
  const api = new BigUint64Array([0xaan, 0n, 0n]);
  done(linux.ioctlBuffer(fd, API, new Uint8Array(api.buffer)), "UFFDIO_API");
  const range = new BigUint64Array([address, PAGE, MISSING, 0n]);
  done(linux.ioctlBuffer(fd, REGISTER, new Uint8Array(range.buffer)), "UFFDIO_REGISTER");
}

const ioctlAside = linux.ioctlAside.bind(linux);
linux.ioctlAside = (request: AsideRequest) => {
  const { address } = linux.addressOf(request.clear);
  trap(address - address % PAGE);
  console.error("reading");
  // It is zeroed already, being new; zeroing it would touch it.
  return ioctlAside({ ...request, clear: request.clear.subarray(0, 0) });
};
Deno.exitCode = await main(Deno.args);
