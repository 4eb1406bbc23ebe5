/** What `console.log` of Deno asks an object for. A script that runs elsewhere is not troubled by it. */
const INSPECT = Symbol.for("Deno.customInspect");

/**
 * Makes `console.log` show objects of a class by their `toString`, which says more than the fields that
 * happen to be public. No right of Deno is needed for it.
 *
 * @param prototype That of the class.
 */
export function showAsText(prototype: { toString(): string }): void {
  Object.defineProperty(prototype, INSPECT, {
    value(this: { toString(): string }): string {
      return this.toString();
    },
  });
}
