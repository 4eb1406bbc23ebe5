/** Bytes of a page of the processor. */
export const PAGE = 4096n;
