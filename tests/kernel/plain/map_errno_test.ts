/** What MAP_DMA answers to bad requests, raw; and what the library says to those it can make. */
import { Container } from "../../../mod.ts";
import { MAP_RULES } from "../../../lib/rules/map.ts";
import {
  VFIO_DMA_MAP_FLAG_READ as READ,
  VFIO_DMA_MAP_FLAG_VADDR as VADDR,
  VFIO_DMA_MAP_FLAG_WRITE as WRITE,
} from "../../../lib/uapi/mod.ts";
import { equal, throws } from "../../std/assert.ts";
import { describe } from "../../std/testing.ts";
import { it } from "../support/guard.ts";
import { addressLimit, EDU, LOW, PAGE } from "../support/machine.ts";
import { NOWHERE, Places } from "../support/place.ts";
import { predicts, space } from "../support/predict.ts";
import { answer, type MapFields, must, RawContainer } from "../support/raw.ts";
import { refused } from "../support/refused.ts";
import { forbidding } from "../support/spy.ts";

/** One page is mapped at LOW before each request; the request is for the page behind it. */
interface Row {
  name: string;
  request?: Partial<MapFields>;
  /** The memory; good by default. */
  vaddr?: (places: Places) => bigint;
  answer: string;
}

const limit = addressLimit();
const top = (1n << 64n) - PAGE;

const rows: Row[] = [
  { name: "a good request", answer: "OK" },
  { name: "argsz 31", request: { argsz: 31 }, answer: "EINVAL" },
  { name: "argsz 0", request: { argsz: 0 }, answer: "EINVAL" },
  { name: "a larger argsz", request: { argsz: 4096 }, answer: "OK" },
  { name: "flags 0", request: { flags: 0 }, answer: "EINVAL" },
  { name: "an unknown flag", request: { flags: READ | 8 }, answer: "EINVAL" },
  { name: "only reading", request: { flags: READ }, answer: "OK" },
  { name: "only writing", request: { flags: WRITE }, answer: "OK" },
  { name: "size 0", request: { size: 0n }, answer: "EINVAL" },
  { name: "iova between pages", request: { iova: LOW + PAGE + 8n }, answer: "EINVAL" },
  { name: "size between pages", request: { size: PAGE + 8n }, answer: "EINVAL" },
  { name: "vaddr between pages", vaddr: (at) => at.good + 8n, answer: "EINVAL" },
  { name: "iova + size beyond 2^64", request: { iova: top, size: 2n * PAGE }, answer: "EINVAL" },
  {
    name: "vaddr + size beyond 2^64",
    vaddr: () => top,
    request: { size: 2n * PAGE },
    answer: "EINVAL",
  },
  { name: "the same page again", request: { iova: LOW }, answer: "EEXIST" },
  {
    name: "over the end of a mapping",
    request: { iova: LOW - PAGE, size: 2n * PAGE },
    answer: "EEXIST",
  },
  { name: "the page before a mapping", request: { iova: LOW - PAGE }, answer: "OK" },
  { name: "iova 0", request: { iova: 0n }, answer: "OK" },
  { name: "the last page before the MSI window", request: { iova: 0xfedf_f000n }, answer: "OK" },
  { name: "the first page of the MSI window", request: { iova: 0xfee0_0000n }, answer: "EINVAL" },
  { name: "the last page of the MSI window", request: { iova: 0xfeef_f000n }, answer: "EINVAL" },
  {
    name: "into the MSI window",
    request: { iova: 0xfedf_f000n, size: 2n * PAGE },
    answer: "EINVAL",
  },
  { name: "the first page behind the MSI window", request: { iova: 0xfef0_0000n }, answer: "OK" },
  { name: "the last page of the IOMMU", request: { iova: limit - PAGE }, answer: "OK" },
  { name: "the page behind it", request: { iova: limit }, answer: "EINVAL" },
  { name: "the last page below 2^64", request: { iova: top }, answer: "EINVAL" },
  { name: "memory that is not there", vaddr: () => NOWHERE, answer: "EFAULT" },
  {
    name: "memory that is not there, to read",
    vaddr: () => NOWHERE,
    request: { flags: READ },
    answer: "EFAULT",
  },
  { name: "writing of read-only memory", vaddr: (at) => at.readOnly, answer: "EFAULT" },
  {
    name: "reading of read-only memory",
    vaddr: (at) => at.readOnly,
    request: { flags: READ },
    answer: "OK",
  },
  {
    name: "memory beyond its file's end",
    vaddr: (at) => at.halfGood,
    request: { size: 2n * PAGE },
    answer: "EFAULT",
  },
  { name: "VADDR on a valid mapping", request: { flags: VADDR, iova: LOW }, answer: "EINVAL" },
  { name: "VADDR where no mapping is", request: { flags: VADDR }, answer: "ENOENT" },
  { name: "VADDR and READ", request: { flags: VADDR | READ, iova: LOW }, answer: "EINVAL" },
];

const good = { argsz: 32, flags: READ | WRITE, iova: LOW + PAGE, size: PAGE };

describe("MAP_DMA, raw", () => {
  for (const { name, request, vaddr, answer: wanted } of rows) {
    it(`${name}: ${wanted}`, () => {
      using places = new Places();
      using container = new RawContainer();
      const first = { ...good, vaddr: places.good, iova: LOW };
      must(container.map(first), "the mapping before it");
      const address = vaddr?.(places) ?? places.good + PAGE;
      const asked = { ...good, ...request, vaddr: address };
      equal(answer(container.map(asked)), wanted);
      predicts(MAP_RULES, asked, space([LOW, 1]), wanted);
    });
  }
});

describe("container.map, refused before any request", () => {
  const cases: [string, { iova?: bigint; size?: bigint; offset?: bigint }, RegExp][] = [
    ["size 0", { iova: LOW, size: 0n }, /size must be more than 0; got 0/],
    [
      "iova between pages",
      { iova: LOW + 8n },
      /iova must be a multiple of .* 0x1000; got 0x1000008/,
    ],
    [
      "size between pages",
      { iova: LOW, size: 8n },
      /size must be a multiple of .* 0x1000; got 0x8/,
    ],
    [
      "an offset between pages",
      { iova: LOW, offset: 8n, size: PAGE },
      /address must be a multiple/,
    ],
    ["a negative iova", { iova: -PAGE }, /iova must be at least 0; got -4096/],
    ["beyond 2^64", { iova: top }, /goes beyond 2\^64/],
    ["over a mapping", { iova: 0x200_0000n }, /overlaps the mapping 0x2000000\.\.0x2000fff/],
    [
      "the MSI window",
      { iova: 0xfee0_0000n },
      /outside the IOVA ranges .*0x0\.\.0xfedfffff, 0xfef00000\.\./,
    ],
    ["into the MSI window", { iova: 0xfedf_f000n }, /0xfedff000\.\.0xfee00fff is outside/],
    ["behind the IOMMU's last page", { iova: limit }, /outside the IOVA ranges/],
    [
      "more than the memory",
      { iova: LOW, size: 3n * PAGE },
      /must lie in the memory of 0x2000 bytes/,
    ],
  ];
  for (const [name, options, text] of cases) {
    it(name, () => {
      const kernel = forbidding();
      using container = Container.open({ kernel });
      using _group = container.attach(EDU);
      using memory = container.allocate(2n * PAGE);
      using _mapping = container.map(memory, { iova: 0x200_0000n, size: PAGE });
      kernel.forbid();
      throws(() => container.map(memory, options), RangeError, text);
      kernel.allow();
      equal(container.mappings.length, 1);
    });
  }
});

describe("container.map, refused by the kernel", () => {
  it("EFAULT names what memory cannot be pinned", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(2n * PAGE, { backing: "memfd" });
    const linux = container.rawKernel;
    must(linux.ftruncate(memory.fd!, PAGE), "cut the second page off");
    refused(() => container.map(memory, { iova: LOW }), {
      code: "EFAULT",
      operation: "VFIO_IOMMU_MAP_DMA",
      rule: "map.pin",
      text: "Cannot map 8 KiB at iova 0x1000000: VFIO_IOMMU_MAP_DMA failed with EFAULT (14): " +
        "the memory cannot be pinned",
    });
    equal({ mappings: container.mappings, isMapped: memory.isMapped }, {
      mappings: [],
      isMapped: false,
    });
  });

  it("EEXIST, where another user of the container made a mapping", () => {
    using container = Container.open();
    using _group = container.attach(EDU);
    using memory = container.allocate(PAGE);
    using places = new Places();
    const bytes = new Uint8Array(32);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, 32, true);
    view.setUint32(4, READ, true);
    view.setBigUint64(8, places.good, true);
    view.setBigUint64(16, LOW, true);
    view.setBigUint64(24, PAGE, true);
    must(container.rawIoctl(0x3b71, bytes), "a mapping behind the library's back");
    refused(() => container.map(memory, { iova: LOW }), {
      code: "EEXIST",
      operation: "VFIO_IOMMU_MAP_DMA",
      rule: "map.overlap",
      text: "overlaps a mapping that another user of the container made",
    });
  });
});
