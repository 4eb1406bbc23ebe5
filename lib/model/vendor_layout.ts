/**
 * The command region of a driver that pins when it is told to. It is that of the driver of Pinscope's
 * lab, so that one script commands both.
 *
 * @module
 */

/** What the driver can be told to do. */
export const OP = {
  PIN: 1,
  UNPIN: 2,
  WRITE: 3,
  READ: 4,
  WRITE_PINNED: 5,
  CLEAR: 6,
  DIRTY: 7,
  LOG_SIZES: 8,
  FAIL: 9,
  LOG_FAIL: 10,
  LOG_SPACE: 11,
} as const;

/** Flags of PIN: the rights, and one call of vfio_pin_pages however many pages there are. */
export const FLAG = { PROT_READ: 1, PROT_WRITE: 2, ONE_CALL: 4 } as const;

/** Where the fields lie, in bytes from the region's start. */
export const AT = {
  op: 0x00,
  flags: 0x04,
  iova: 0x08,
  length: 0x10,
  doorbell: 0x18,
  result: 0x20,
  magic: 0x28,
  logSize: 0x2c,
  pinned: 0x30,
  pins: 0x38,
  unmaps: 0x40,
  returned: 0x48,
  logPage: 0x50,
  logDirty: 0x58,
  logRanges: 0x60,
  state: 0x64,
  path: 0x68,
  log: 0x100,
  data: 0x1000,
} as const;

/** "PIN1": the meaning of all of the above. */
export const MAGIC = 0x314e4950;
/** Entries of the log of unmap callbacks. */
export const LOG = 64;
/** Bytes that WRITE and READ can move. */
export const DATA = 4096;
/** Bytes of the region. */
export const REGION_SIZE: number = AT.data + DATA;
/** The type of the region on a PCI device: a vendor's own, QEMU's. */
export const REGION_TYPE: number = (0x8000_0000 | 0x1234) >>> 0;
/** The subtype of the region on a PCI device. */
export const REGION_SUBTYPE = 0x50;
