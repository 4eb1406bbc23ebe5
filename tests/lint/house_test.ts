import { equal, ok } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import house from "./house.ts";

/** A file and the one line in it. */
type Sample = readonly [file: string, source: string];

const found = (file: string, source: string): Deno.lint.Diagnostic[] =>
  Deno.lint.runPlugin(house, file, source);

/** Holds that the bad samples break this rule, each once, and no other; and that the good break none. */
function rule(name: string, samples: { bad: readonly Sample[]; good: readonly Sample[] }): void {
  describe(`house/${name}`, () => {
    for (const [file, source] of samples.bad) {
      it(`refuses ${source} in ${file}`, () => {
        const diagnostics = found(file, source);
        equal(diagnostics.map(({ id }) => id), [`house/${name}`]);
        ok(diagnostics.every(({ message, hint }) => message !== "" && (hint ?? "") !== ""));
      });
    }
    for (const [file, source] of samples.good) {
      it(`allows ${source} in ${file}`, () => equal(found(file, source), []));
    }
  });
}

rule("layers", {
  bad: [
    ["lib/base/a.ts", 'import { b } from "../uapi/b.ts";'],
    ["lib/base/a.ts", 'import type { b } from "../rules/b.ts";'],
    ["lib/uapi/a.ts", 'import { b } from "../base/b.ts";'],
    ["lib/rules/a.ts", 'import { b } from "../sys/b.ts";'],
    ["lib/dirty/a.ts", 'export { b } from "../uapi/b.ts";'],
    ["lib/pins/a.ts", 'export * from "../sys/b.ts";'],
    ["lib/sys/a.ts", 'import { b } from "../uapi/b.ts";'],
    ["lib/track/a.ts", 'import { b } from "../uapi/b.ts";'],
    ["lib/track/a.ts", 'import { b } from "../vfio/b.ts";'],
    ["lib/iommufd/a.ts", 'import { b } from "../vfio/b.ts";'],
    ["lib/vfio/a.ts", 'import { b } from "../model/b.ts";'],
    ["lib/model/a.ts", 'import { b } from "../vfio/b.ts";'],
    ["lib/model/a.ts", 'const b = await import("../vfio/b.ts");'],
    ["lib/model/a.ts", 'type B = import("../vfio/b.ts").B;'],
    ["lib/vfio/a.ts", 'import { b } from "../../mod.ts";'],
    ["lib/vfio/a.ts", 'import { b } from "../../cli/b.ts";'],
    ["lib/vfio/a.ts", 'import { b } from "../../tests/b.ts";'],
    ["lib/vfio/a.ts", 'import { b } from "@pinscope/vfio";'],
    ["lib/vfio/a.ts", 'import { b } from "@std/assert";'],
    ["lib/vfio/a.ts", 'import { b } from "jsr:@std/assert@1";'],
    ["lib/vfio/a.ts", 'import b from "npm:b";'],
    ["lib/vfio/a.ts", 'import fs from "node:fs";'],
    ["lib/vfio/a.ts", 'import { b } from "https://example.org/b.ts";'],
    ["lib/vfio/a.ts", "const b = await import(name);"],
    ["lib/other/a.ts", 'import { b } from "./b.ts";'],
    ["mod.ts", 'export { b } from "./cli/b.ts";'],
    ["mod.ts", 'export { b } from "node:fs";'],
    ["cli/a.ts", 'import { b } from "../lib/base/format.ts";'],
    ["cli/a.ts", 'import { b } from "../tests/b.ts";'],
    ["cli/a.ts", 'import { b } from "@std/cli/parse-args";'],
    ["cli/a.ts", 'import b from "npm:b";'],
    ["cli/a.ts", 'import b from "jsr:@std/cli@1";'],
    ["examples/a.ts", 'import { b } from "../mod.ts";'],
    ["examples/a.ts", 'import { b } from "./b.ts";'],
    ["examples/a.ts", 'import { b } from "@std/assert";'],
    ["examples/a.ts", 'import { b } from "@pinscope/vfiox";'],
    ["tests/unit/a.ts", 'import { b } from "@std/assert";'],
    ["tests/unit/a.ts", 'const b = await import("fast-check");'],
    ["tests/differential/fast_check.ts", 'import { b } from "npm:fast-check@4";'],
    ["tests/unit/a.ts", 'import { b } from "https://example.org/b.ts";'],
  ],
  good: [
    ["lib/base/a.ts", 'import { b } from "./b.ts";'],
    ["lib/uapi/a.ts", 'import { b } from "./deep/b.ts";'],
    ["lib/uapi/deep/a.ts", 'import { b } from "../b.ts";'],
    ["lib/rules/a.ts", 'import { b } from "../uapi/b.ts"; import { c } from "../base/c.ts";'],
    ["lib/dirty/a.ts", 'import { b } from "../base/b.ts";'],
    ["lib/pins/a.ts", 'import { b } from "../base/b.ts";'],
    ["lib/sys/a.ts", 'import { b } from "../base/b.ts";'],
    ["lib/vfio/a.ts", 'import { b } from "../sys/b.ts"; import { c } from "../pins/c.ts";'],
    ["lib/vfio/a.ts", 'import { b } from "../dirty/b.ts"; import { c } from "../rules/c.ts";'],
    ["lib/vfio/a.ts", 'import { b } from "../track/b.ts"; import { c } from "../iommufd/c.ts";'],
    ["lib/iommufd/a.ts", 'import { b } from "../track/b.ts";'],
    ["lib/model/a.ts", 'import { b } from "../sys/b.ts"; import { c } from "../rules/c.ts";'],
    ["mod.ts", 'export { b } from "./lib/vfio/b.ts";'],
    ["cli/a.ts", 'import { b } from "../mod.ts"; import { c } from "../lib/uapi/mod.ts";'],
    ["cli/a.ts", 'import { b } from "../lib/model/mod.ts"; import { c } from "./c.ts";'],
    ["cli/a.ts", 'import { b } from "@pinscope/vfio/model"; const c = await import("npm:c");'],
    ["cli/parse.ts", 'const { b } = await import("@std/cli/parse-args");'],
    [
      "examples/a.ts",
      'import { b } from "@pinscope/vfio"; import { c } from "@pinscope/vfio/uapi";',
    ],
    ["tests/std/a.ts", 'const b = await import("@std/assert");'],
    ["tests/differential/fast_check.ts", "const b = await import(FAST_CHECK);"],
    ["tests/unit/a.ts", 'import { b } from "../../lib/vfio/b.ts"; import fs from "node:fs";'],
    ["tests/unit/a.ts", "const b = await import(name); export { b };"],
  ],
});

rule("dlopen", {
  bad: [
    ["lib/sys/libc.ts", 'Deno.dlopen("libc.so.6", {});'],
    ["tests/unit/a.ts", 'Deno["dlopen"]("libc.so.6", {});'],
    ["cli/a.ts", "const { dlopen } = Deno;"],
    ["examples/a.ts", 'globalThis.Deno.dlopen("libc.so.6", {});'],
  ],
  good: [
    ["lib/sys/symbols.ts", 'Deno.dlopen("libc.so.6", {});'],
    ["cli/a.ts", "const { args } = Deno;"],
  ],
});

rule("deno-global", {
  bad: [
    ["lib/base/a.ts", "Deno.exit();"],
    ["lib/uapi/a.ts", "type A = Deno.PointerValue;"],
    ["lib/vfio/a.ts", "const { env } = Deno;"],
    ["lib/vfio/a.ts", "const a = { Deno };"],
    ["lib/model/a.ts", "globalThis.Deno.exit();"],
    ["lib/model/a.ts", 'globalThis["Deno"].exit();'],
    ["lib/model/a.ts", 'if (typeof Deno === "object") run();'],
    ["mod.ts", "f(Deno);"],
  ],
  good: [
    ["lib/sys/a.ts", "Deno.build.arch;"],
    ["cli/a.ts", "Deno.args;"],
    ["examples/a.ts", "Deno.args;"],
    ["tests/unit/a.ts", "Deno.args;"],
    ["lib/base/a.ts", "// Deno reads this\nconst text = a.Deno + 'Deno';"],
    ["lib/base/a.ts", "const names = { Deno: 1 };"],
    ["lib/base/a.ts", "interface A { Deno: string }"],
  ],
});

rule("no-console", {
  bad: [
    ["lib/base/a.ts", "console.log(1);"],
    ["lib/sys/a.ts", "globalThis.console.error(1);"],
    ["lib/vfio/a.ts", "const { warn } = console;"],
    ["mod.ts", "console.log(1);"],
  ],
  good: [
    ["examples/a.ts", "console.log(1);"],
    ["cli/a.ts", "console.log(1);"],
    ["lib/base/a.ts", "end.console.match(a);"],
  ],
});

rule("no-empty-catch", {
  bad: [
    ["lib/base/a.ts", "try { f(); } catch {}"],
    ["tests/unit/a.ts", "try { f(); } catch (error) { /* never mind */ }"],
  ],
  good: [["lib/base/a.ts", "try { f(); } catch (error) { throw error; }"]],
});

rule("no-as-any", {
  bad: [
    ["lib/base/a.ts", "f(a as any);"],
    ["tests/unit/a.ts", "f(<any> a);"],
  ],
  good: [["lib/base/a.ts", "f(a as unknown as B);"]],
});

rule("no-enum", {
  bad: [
    ["lib/base/a.ts", "enum A { B }"],
    ["tests/unit/a.ts", "export const enum A { B }"],
  ],
  good: [["lib/base/a.ts", "const A = { B: 1 } as const;"]],
});

rule("no-private", {
  bad: [
    ["lib/base/a.ts", "class A { private a = 1; }"],
    ["lib/base/a.ts", "class A { private a(): void {} }"],
    ["lib/base/a.ts", "class A { private static a = 1; }"],
    ["cli/a.ts", "class A { private get a(): number { return 1; } }"],
    ["lib/base/a.ts", "class A { constructor(private a: number) {} }"],
  ],
  good: [
    ["lib/base/a.ts", "class A { #a = 1; a(): number { return this.#a; } }"],
    ["lib/base/a.ts", "class A { private constructor() {} }"],
    ["lib/base/a.ts", "class A { constructor(readonly privates: number) {} }"],
  ],
});

rule("no-default-export", {
  bad: [
    ["lib/base/a.ts", "export default 1;"],
    ["cli/a.ts", "export default function f(): void {}"],
  ],
  good: [
    ["lib/base/a.ts", "export const a = 1;"],
    ["tests/lint/house.ts", "export default {};"],
  ],
});

describe("the plugin on absolute paths", () => {
  it("finds the place of a file in the project", () => {
    const path = new URL("../../lib/base/a.ts", import.meta.url).pathname;
    equal(found(path, "Deno.args;").map(({ id }) => id), ["house/deno-global"]);
  });

  it("leaves files alone that are in no layer", () => {
    equal(found("/elsewhere/a.ts", "Deno.args; console.log(1);"), []);
  });
});
