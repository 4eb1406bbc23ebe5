/** Pages of a chunk: their numbers fit in 16 bits. */
export const CHUNK_PAGES = 32768;
