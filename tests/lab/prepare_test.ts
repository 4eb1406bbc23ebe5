import { equal, rejects, throws } from "../std/assert.ts";
import { describe, it } from "../std/testing.ts";
import { Cache } from "./cache.ts";
import { cpio } from "./cpio.ts";
import { imageRelease, inspectKernel } from "./kernel_image.ts";
import { LabProblem } from "./problem.ts";
import { parseLibraries } from "./runtime.ts";

async function inTemp(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The first bytes of a bzImage. */
function image(release: string): Uint8Array {
  const bytes = new Uint8Array(0x400);
  const view = new DataView(bytes.buffer);
  view.setUint32(0x202, 0x53726448, true);
  view.setUint16(0x20e, 0x100, true);
  bytes.set(new TextEncoder().encode(`${release} (somebody@somewhere) #1\0`), 0x300);
  return bytes;
}

describe("the cache", () => {
  it("keeps what was built whole, and builds it once", () =>
    inTemp(async (folder) => {
      const cache = new Cache((name) => name === "PINSCOPE_LAB_CACHE" ? folder : undefined);
      let built = 0;
      const build = async (path: string): Promise<void> => {
        built++;
        await Deno.writeTextFile(`${path}/x`, "x");
      };
      await cache.make("a", build);
      equal(await cache.make("a", build), `${folder}/a`);
      equal(built, 1);
    }));

  it("keeps nothing of a build that failed", () =>
    inTemp(async (folder) => {
      const cache = new Cache((name) => name === "PINSCOPE_LAB_CACHE" ? folder : undefined);
      const cut = (): Promise<void> => Promise.reject(new LabProblem("cut"));
      await rejects(() => cache.make("a", cut), LabProblem, "cut");
      equal([...Deno.readDirSync(folder)], []);
    }));

  it("lies where the environment says", () => {
    const env = (table: Record<string, string>) => (name: string): string | undefined =>
      table[name];
    equal(new Cache(env({ HOME: "/h" })).folder, "/h/.cache/pinscope/lab");
    equal(new Cache(env({ HOME: "/h", XDG_CACHE_HOME: "/c" })).folder, "/c/pinscope/lab");
    equal(new Cache(env({ HOME: "/h", PINSCOPE_LAB_CACHE: "/p" })).folder, "/p");
    throws(() => new Cache(env({})), LabProblem, "HOME");
  });
});

describe("a kernel image", () => {
  it("tells its release", () => {
    equal(imageRelease(image("6.12.1-mine")), "6.12.1-mine");
    equal(imageRelease(new Uint8Array(0x400)), undefined);
  });

  it("finds its modules below a folder or in it, and its configuration", () =>
    inTemp(async (folder) => {
      await Deno.mkdir(`${folder}/lib/modules/6.12.1-mine`, { recursive: true });
      await Deno.writeFile(`${folder}/bzImage`, image("6.12.1-mine"));
      await Deno.writeTextFile(`${folder}/config-6.12.1-mine`, "CONFIG_VFIO=y\n");
      const modules = await Deno.realPath(`${folder}/lib/modules/6.12.1-mine`);
      for (const given of [folder, modules]) {
        const kernel = await inspectKernel(`${folder}/bzImage`, given);
        equal([kernel.modules, kernel.release], [modules, "6.12.1-mine"]);
        equal(kernel.config?.get("VFIO"), "y");
      }
      await Deno.writeFile(`${folder}/bzImage`, image("6.13.0"));
      const other = (): Promise<unknown> => inspectKernel(`${folder}/bzImage`, folder);
      await rejects(other, LabProblem, "holds 6.12.1-mine, but the kernel is 6.13.0");
      await Deno.writeTextFile(`${folder}/bzImage`, "text");
      await rejects(other, LabProblem, "no Linux kernel");
    }));
});

describe("the initrd", () => {
  it("is a newc archive with aligned members", () => {
    const archive = cpio([
      { kind: "folder", name: "d", mode: 0o755 },
      { kind: "file", name: "d/f", bytes: new Uint8Array([1, 2, 3]), mode: 0o644 },
      { kind: "link", name: "l", target: "d/f" },
    ]);
    const text = new TextDecoder("latin1").decode(archive);
    equal(archive.length % 4, 0);
    equal(text.match(/070701/g)?.length, 4);
    equal(text.slice(0, 22), "07070100000001000041ed");
    equal(text.includes("TRAILER!!!"), true);
  });
});

describe("the runtime", () => {
  it("reads the libraries from ldd's answer", () => {
    const text = "\tlinux-vdso.so.1 (0x00007ffd1)\n\tlibc.so.6 => /lib/x/libc.so.6 (0x00007f5a)\n" +
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f5b)\n\tlibgone.so => not found\n";
    equal(parseLibraries(text), ["/lib/x/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]);
  });
});
