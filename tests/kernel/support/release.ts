/** What the tests of an answer that changed between kernels go by; the library itself only probes. */
export function sinceSeven(): boolean {
  return Number.parseInt(Deno.osRelease()) >= 7;
}
