// The ABI test's own parts: that it sees what is wrong, and says what is missing.
import { equal, match, ok, rejects, throws } from "../std/assert.ts";
import { describe, it, skip } from "../std/testing.ts";
import { compare, type Comparison } from "./compare.ts";
import { findCompiler } from "./compiler.ts";
import { formatExpected, parseExpected } from "./expected.ts";
import { versionOf, wishes } from "./fetch_headers.ts";
import { cacheFolder, declarations, findHeaders, version } from "./headers.ts";
import { constants, forms } from "./tables.ts";

/** A header as a wrong, older and newer kernel would have it, all at once. */
const HEADER = `#include <linux/types.h>
#include <linux/ioctl.h>
#define VFIO_API_VERSION 0
#define VFIO_IOMMU_MAP_DMA _IO(';', 113)
#define VFIO_GROUP_FLAGS_VIABLE (1 << 3)
#define VFIO_REGION_TYPE_PCI_VENDOR_TYPE (1 << 31)
#define VFIO_OF_TOMORROW 7
#define VFIO_FUNCTION(x) ((x) + 1)
#define VFIO_DEVICE_API_PCI_STRING "vfio-pci"
enum { VFIO_PCI_INTX_IRQ_INDEX, /* VFIO_NOT_THIS, */ VFIO_PCI_TOMORROW_IRQ_INDEX };
/* struct vfio_commented { __u32 a; }; */
struct vfio_group_status { __u32 flags; __u32 argsz; };
struct vfio_device_info { __u32 argsz, flags, num_regions, num_irqs, cap_offset; };
struct vfio_device_attach_iommufd_pt { __u32 argsz; __u32 flags; __u32 pt_id; };
struct vfio_device_ioeventfd { __u32 argsz; __u32 flags; __u64 offset, data; __u32 fd; };
struct vfio_irq_info { __u32 argsz; __u32 flags; __u32 index; __u16 count; };
struct vfio_region_gfx_edid {
	__u32 edid_offset;
	union {
		__u32 edid_max_size; /* bytes */
#define VFIO_DEVICE_GFX_LINK_STATE_UP 1
		__u32 edid_max_pages;
	};
	__u32 edid_size, later[2];
};
struct vfio_tomorrow {
	__u32 argsz;
};
`;

const compiler = findCompiler();

async function withHeader<T>(text: string, body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "pinscope-abi-" });
  try {
    await Deno.mkdir(`${folder}/linux`);
    await Deno.writeTextFile(`${folder}/linux/vfio.h`, text);
    // Otherwise the compiler would take the system's.
    await Deno.writeTextFile(`${folder}/linux/iommufd.h`, "");
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const compareText = (text: string): Promise<Comparison> =>
  withHeader(text, (headers) => compare({ compiler: compiler ?? "", headers }));

describe("a comparison with headers", () => {
  if (compiler === undefined) {
    skip("finds every kind of difference", "there is no C compiler: apt-get install gcc");
    return;
  }

  it("finds a value, an order, a width and a sign that differ", async () => {
    const { differences } = await compareText(HEADER);
    equal(differences, [
      "VFIO_GROUP_FLAGS_VIABLE: our table says 1, the headers 8",
      "vfio_device_ioeventfd.fd: our table says 24 4 1, the headers 24 4 0",
      "vfio_group_status.argsz: our table says 0 4 0, the headers 4 4 0",
      "vfio_group_status.flags: our table says 4 4 0, the headers 0 4 0",
      "vfio_irq_info.count: our table says 12 4 0, the headers 12 2 0",
    ]);
  });

  it("compares what an older struct has, and an older form as a whole", async () => {
    const { numbers, lacking } = await compareText(HEADER);
    equal(numbers.get("vfio_device_info.cap_offset"), [16, 4, 0]);
    ok(!numbers.has("vfio_device_info") && lacking.includes("vfio_device_info.pad"));
    equal(numbers.get("vfio_device_attach_iommufd_pt_v6_6"), [12, 4]);
    ok(!numbers.has("vfio_device_attach_iommufd_pt"));
    ok(lacking.includes("vfio_device_attach_iommufd_pt.pasid"));
  });

  it("takes the newer form where the headers have it, and finds a size that differs", async () => {
    const newer = HEADER.replace("__u32 pt_id;", "__u32 pt_id; __u32 pasid; __u32 more;");
    const { differences, superseded } = await compareText(newer);
    ok(superseded.includes("struct vfio_device_attach_iommufd_pt_v6_6"));
    ok(
      differences.includes("vfio_device_attach_iommufd_pt: our table says 16 4, the headers 20 4"),
    );
  });

  it("finds a member of another shape", async () => {
    const changed = HEADER.replace("__u16 count;", "__u16 count[2];");
    const { differences } = await compareText(changed);
    ok(differences.includes("vfio_irq_info.count: our table says 12 4 0, the headers 12 4 NaN"));
  });

  it("lists what only one side has", async () => {
    const { lacking, unlisted } = await compareText(HEADER);
    equal(unlisted, [
      "VFIO_OF_TOMORROW",
      "VFIO_PCI_TOMORROW_IRQ_INDEX",
      "struct vfio_tomorrow",
      "vfio_region_gfx_edid.edid_max_pages",
      "vfio_region_gfx_edid.later",
    ]);
    ok(lacking.includes("VFIO_IOMMU_UNMAP_DMA") && lacking.includes("struct vfio_region_info"));
    ok(!lacking.includes("VFIO_API_VERSION"));
  });

  it("fails on headers that do not compile", async () => {
    const error = await rejects(() => compareText("#error not for users\n"), Error);
    match(error.message, /^The compiler does not take the headers in .*not for users/);
  });
});

describe("headers", () => {
  const env = (values: Record<string, string>) => (name: string): string | undefined =>
    values[name];

  it("are those that the user names, alone", async () => {
    await withHeader(HEADER, async (folder) => {
      const found = await findHeaders(env({ PINSCOPE_UAPI_HEADERS: folder, HOME: "/nowhere" }));
      equal(found.map((one) => one.folder), [folder]);
      match(found[0]?.about ?? "", /of unknown version/);
    });
    const wrong = env({ PINSCOPE_UAPI_HEADERS: "/nowhere" });
    await rejects(() => findHeaders(wrong), Error, "PINSCOPE_UAPI_HEADERS is /nowhere, where");
  });

  it("are those in the cache, newest first, before the system's", async () => {
    await withHeader(HEADER, async (folder) => {
      const root = `${folder}/pinscope/headers`;
      for (const name of ["6.12.9-1", "6.12.10-1~bpo12+1", "7.0-1"]) {
        const place = `${root}/linux-libc-dev-${name}/usr/include/linux`;
        await Deno.mkdir(place, { recursive: true });
        await Deno.writeTextFile(`${place}/vfio.h`, HEADER);
      }
      await Deno.mkdir(`${root}/linux-libc-dev-8.0/usr`, { recursive: true });
      const found = await findHeaders(env({ XDG_CACHE_HOME: folder }));
      const versions = found.map((one) => /dev-([\d.]+)/.exec(one.folder)?.[1]);
      equal(versions.filter((one) => one !== undefined), ["7.0", "6.12.10", "6.12.9"]);
    });
  });

  it("tell their version", async () => {
    await withHeader(HEADER, async (folder) => {
      equal(await version(folder), "(of unknown version)");
      const lines = ["MAJOR 6", "PATCHLEVEL 12", "SUBLEVEL 95"];
      const text = lines.map((line) => `#define LINUX_VERSION_${line}\n`).join("");
      await Deno.writeTextFile(`${folder}/linux/version.h`, text);
      equal(await version(folder), "6.12.95");
    });
  });

  it("are read without their comments", async () => {
    const { structs, members, enumerators } = await withHeader(HEADER, declarations);
    ok(structs.includes("vfio_group_status") && !structs.includes("vfio_commented"));
    equal(members.filter((name) => name.startsWith("vfio_device_io")), [
      "vfio_device_ioeventfd.argsz",
      "vfio_device_ioeventfd.flags",
      "vfio_device_ioeventfd.offset",
      "vfio_device_ioeventfd.data",
      "vfio_device_ioeventfd.fd",
    ]);
    equal(enumerators, ["VFIO_PCI_INTX_IRQ_INDEX", "VFIO_PCI_TOMORROW_IRQ_INDEX"]);
  });

  it("are kept where the user's other caches are", () => {
    equal(cacheFolder(env({ HOME: "/h" })), "/h/.cache/pinscope/headers");
    equal(cacheFolder(env({ HOME: "/h", XDG_CACHE_HOME: "/c" })), "/c/pinscope/headers");
    equal(cacheFolder(env({})), undefined);
  });

  it("are fetched by version, the suite's newest last", () => {
    equal(wishes(["6.12.*"]), ["linux-libc-dev=6.12.*", "linux-libc-dev"]);
    equal(versionOf("/x/linux-libc-dev_6.12.95-1~bpo12+1_all.deb"), "6.12.95-1~bpo12+1");
    equal(versionOf("/x/linux-libc-dev_1%3a6.1-1_amd64.deb"), "6.1-1");
    equal(versionOf("/x/linux-image_6.1_amd64.deb"), undefined);
  });
});

describe("the committed table", () => {
  const facts = [
    { key: "A", values: [1], expressions: [] },
    { key: "s", values: [8, 4], expressions: [] },
    { key: "s.m", values: [4, 4, 0], expressions: [] },
    { key: "B", values: [2], expressions: [] },
  ];
  const sources = [
    { about: "Linux 1", numbers: new Map([["A", [1]]]) },
    { about: "Linux 2", numbers: new Map([["A", [9]], ["s", [8, 4]], ["s.m", [4, 4, 0]]]) },
    { about: "Linux 3", numbers: new Map([["A", [9]]]) },
  ];

  it("says which headers each number is from, and which is from none", () => {
    const { sources: from, numbers, unchecked } = parseExpected(formatExpected(facts, sources));
    equal(from, ["Linux 1", "Linux 2"]);
    equal([...numbers], [["A", [1]], ["s", [8, 4]], ["s.m", [4, 4, 0]], ["B", [2]]]);
    equal([...unchecked], ["B"]);
  });

  it("is refused with a line that is none, or a key that comes twice", () => {
    throws(() => parseExpected("A = 1\nA = 1\n"), Error, "line 2 of the committed table: A = 1");
    throws(() => parseExpected("A = x\n"), Error, "line 1");
  });
});

describe("the facts about our tables", () => {
  it("cover every constant, struct and member once", () => {
    const keys = [...constants, ...forms.flatMap(({ self, members }) => [self, ...members])]
      .map(({ key }) => key);
    equal(keys.length, new Set(keys).size);
    ok(keys.length > 700, `${keys.length}`);
    const all = [...constants, ...forms.flatMap(({ self, members }) => [self, ...members])];
    for (const { key, values, expressions } of all) {
      ok(values.length === expressions.length && values.every(Number.isSafeInteger), key);
    }
  });

  it("put the two structs of a wire image one behind the other", () => {
    const member = (key: string): readonly string[] | undefined =>
      forms.flatMap(({ members }) => members).find((fact) => fact.key === key)?.expressions;
    equal(
      member("dirty_bitmap_get_request.bitmap_size")?.[0],
      "sizeof(struct vfio_iommu_type1_dirty_bitmap) + " +
        "__builtin_offsetof(struct vfio_iommu_type1_dirty_bitmap_get, bitmap.size)",
    );
    equal(
      member("dma_unmap_with_bitmap_request.data")?.[0],
      "sizeof(struct vfio_iommu_type1_dma_unmap) + __builtin_offsetof(struct vfio_bitmap, data)",
    );
  });
});
