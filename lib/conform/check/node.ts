/** What a device answers that was opened by its own node. */

import { O_RDWR } from "../../sys/constant.ts";
import type { Bench } from "../bench.ts";
import type { Check, Need, Say } from "../check.ts";
import { RawIommufd } from "../iommufd.ts";
import { RawNode } from "../node.ts";
import { answer, must, NULL, RawFile, value, words32 } from "../raw.ts";
import { good, mapIoas, READ } from "./ioas.ts";

const BIND = 0x3b76;
const ATTACH = 0x3b77;
const DETACH = 0x3b78;
const GET_INFO = 0x3b6b;
const CONFIG = 7n << 40n;

interface Scene {
  readonly iommufd: RawIommufd;
  readonly node: RawNode;
}

const check = (
  name: string,
  rule: string,
  run: (scene: Scene, say: Say, bench: Bench) => void,
  needs: readonly Need[] = ["node"],
): Check => ({
  name: `node: ${name}`,
  rule,
  needs,
  run: (bench, say) => {
    using iommufd = RawIommufd.open(bench.kernel);
    using node = RawNode.open(bench.kernel, bench.nodes[0]!);
    run({ iommufd, node }, say, bench);
  },
});

const info = (file: RawFile): string => {
  const bytes = new Uint8Array(24);
  bytes[0] = 24;
  return answer(file.ask(GET_INFO, bytes));
};

const bindings: readonly Check[] = [
  check("before it is bound", "attach.bound", ({ node }, say, bench) => {
    say("GET_INFO", info(node));
    say("ATTACH", answer(node.attach(999).result));
    say("ATTACH, NULL", answer(node.ask(ATTACH, NULL)));
    say("DETACH", answer(node.detach()));
    say("0x3bff", answer(node.ask(0x3bff, NULL)));
    say("read", value(bench.kernel.pread(node.fd, new Uint8Array(4), CONFIG)));
    say("write", value(bench.kernel.pwrite(node.fd, new Uint8Array(4), CONFIG + 0x40n)));
  }, ["node-any"]),
  check("BIND, the head", "bind.request", ({ iommufd, node }, say) => {
    say("NULL", answer(node.ask(BIND, NULL)));
    say("argsz 15", answer(node.bind(iommufd.fd, { argsz: 15 }).result));
    say("flags", answer(node.bind(iommufd.fd, { flags: 1 }).result));
    say("descriptor -1", answer(node.bind(-1).result));
    say("argsz 99", answer(node.bind(iommufd.fd, { argsz: 99 }).result));
  }),
  check("BIND to a file that is not open", "bind.fd", ({ node }, say) => {
    say("99999", answer(node.bind(99999).result));
  }, ["node-any"]),
  check("BIND to a file that is no iommufd", "bind.iommufd", ({ node }, say, bench) => {
    using other = new RawFile(bench.kernel, must(bench.kernel.open("/dev/null", O_RDWR), "open"));
    say("/dev/null", answer(node.bind(other.fd).result));
    say("itself", answer(node.bind(node.fd).result));
  }, ["node-any"]),
  check("BIND twice", "bind.once", ({ iommufd, node }, say) => {
    say("once", answer(node.bind(iommufd.fd).result));
    say("twice", answer(node.bind(iommufd.fd).result));
    say("to nothing", answer(node.bind(99999).result));
    say("GET_INFO", info(node));
  }),
  check("BIND of a second file", "bind.open", ({ iommufd, node }, say, bench) => {
    node.mustBind(iommufd);
    using second = RawNode.open(bench.kernel, bench.nodes[0]!);
    say("to the same iommufd", answer(second.bind(iommufd.fd).result));
    using other = RawIommufd.open(bench.kernel);
    say("to another one", answer(second.bind(other.fd).result));
    node[Symbol.dispose]();
    say("when the first is closed", answer(second.bind(other.fd).result));
  }),
  check("BIND without interrupt remapping", "bind.interrupts", ({ iommufd, node }, say) => {
    say("BIND", answer(node.bind(iommufd.fd).result));
    say("GET_INFO", info(node));
  }, ["node-unsafe"]),
  check("BIND with the group open", "bind.group", ({ iommufd, node }, say, bench) => {
    {
      using _group = bench.group();
      say("open", answer(node.bind(iommufd.fd).result));
    }
    node.mustBind(iommufd);
    const path = `/dev/vfio/${bench.pci.group}`;
    say("the group while it is bound", answer(bench.kernel.open(path, O_RDWR)));
  }),
  check("BIND of a file of the group", "bind.node", ({ iommufd }, say, bench) => {
    using container = bench.container();
    using device = container.group.device(bench.pci.name);
    say("BIND", answer(device.ask(BIND, words32(16, 0, iommufd.fd, 0))));
    say("ATTACH", answer(device.ask(ATTACH, words32(12, 0, 1))));
  }),
];

const attachments: readonly Check[] = [
  check("ATTACH, the head", "attach.request", ({ iommufd, node }, say) => {
    node.mustBind(iommufd);
    say("NULL", answer(node.ask(ATTACH, NULL)));
    say("argsz 11", answer(node.attach(999, { argsz: 11 }).result));
    say("flags", answer(node.attach(999, { flags: 1 }).result));
    say("argsz 99", answer(node.attach(iommufd.ioas(), { argsz: 99 }).result));
  }),
  check("ATTACH to nothing", "attach.found", ({ iommufd, node }, say) => {
    node.mustBind(iommufd);
    say("0", answer(node.attach(0).result));
    say("999", answer(node.attach(999).result));
  }),
  check("ATTACH to a device", "attach.kind", ({ iommufd, node }, say) => {
    say("itself", answer(node.attach(node.mustBind(iommufd)).result));
  }),
  check(
    "ATTACH to an address space, and away",
    "attach.reserved",
    ({ iommufd, node }, say, bench) => {
      const device = node.mustBind(iommufd);
      const [ioas, other] = [iommufd.ioas(), iommufd.ioas()];
      const { result, id } = node.attach(ioas);
      say("ATTACH", `${answer(result)}, ${id === ioas ? "itself" : "a page table"}`);
      const { ranges, alignment } = iommufd.ranges(ioas, 9).value;
      say("the unit", `${alignment}`);
      say("ranges", ranges.length > 1 ? "with a hole" : ranges.length === 1 ? "one" : "none");
      say("DESTROY of the address space", answer(iommufd.destroy(ioas)));
      say("DESTROY of the device", answer(iommufd.destroy(device)));
      say("to another one", answer(node.attach(other).result));
      say("DESTROY of the old one", answer(iommufd.destroy(ioas)));
      say("the same again", answer(node.attach(other).result));
      say("DETACH", answer(node.detach()));
      say("DETACH again", answer(node.detach()));
      say("the unit afterwards", `${iommufd.ranges(other, 9).value.alignment}`);
      must(
        iommufd.map({ ...good(bench, other, 0), iova: 0xfee0_0000n }).result,
        "MAP at 0xfee00000",
      );
      say("with a mapping where interrupts are", answer(node.attach(other).result));
    },
  ),
  check("ATTACH to a page table", "attach.fit", ({ iommufd, node }, say, bench) => {
    const dev_id = node.mustBind(iommufd);
    const ioas = iommufd.ioas();
    mapIoas(bench, iommufd, ioas, 0);
    const { result, value: hwpt } = iommufd.hwpt({ dev_id, pt_id: ioas });
    say("HWPT_ALLOC", answer(result));
    const attached = node.attach(hwpt);
    say("ATTACH", `${answer(attached.result)}, ${attached.id === hwpt ? "itself" : "another"}`);
    say("DESTROY of it", answer(iommufd.destroy(hwpt)));
    say("to the address space in its place", answer(node.attach(ioas).result));
    say("DESTROY then", answer(iommufd.destroy(hwpt)));
    node[Symbol.dispose]();
    say("DESTROY of the address space when the node is closed", answer(iommufd.destroy(ioas)));
    say("of the device", answer(iommufd.destroy(dev_id)));
  }),
  check("two devices", "bind.owner", ({ iommufd, node }, say, bench) => {
    using second = RawNode.open(bench.kernel, bench.nodes[1]!);
    const [one, two] = [node.mustBind(iommufd), second.mustBind(iommufd)];
    say("two numbers", one === two ? "the same" : "different ones");
    const ioas = iommufd.ioas();
    const [first, other] = [node.attach(ioas), second.attach(ioas)];
    say("on one address space", `${answer(first.result)}, ${answer(other.result)}`);
    say("page tables", first.id === other.id ? "the same" : "different ones");
    say("DETACH of one", answer(node.detach()));
    say("DESTROY of the page table", answer(iommufd.destroy(first.id)));
  }, ["node", "node2"]),
  check("DETACH, the head", "detach.request", ({ iommufd, node }, say) => {
    node.mustBind(iommufd);
    say("NULL", answer(node.ask(DETACH, NULL)));
    say("argsz 7", answer(node.detach({ argsz: 7 })));
    say("flags", answer(node.detach({ flags: 1 })));
    say("argsz 99, not attached", answer(node.detach({ argsz: 99 })));
  }),
  check("page tables that nest", "hwpt.alloc-nests", ({ iommufd, node }, say) => {
    const dev_id = node.mustBind(iommufd);
    const ask = (flags: number): string =>
      answer(iommufd.hwpt({ dev_id, pt_id: iommufd.ioas(), flags }).result);
    // IOMMUs differ in what they can.
    const either = (text: string): string =>
      /^(OK|EOPNOTSUPP)$/.test(text) ? "OK or EOPNOTSUPP" : text;
    say("NEST_PARENT", either(ask(1)));
    say("DIRTY_TRACKING", either(ask(2)));
    say("none", ask(0));
  }),
  check("an address space that goes with its file", "ioas.pin", ({ iommufd, node }, say, bench) => {
    node.mustBind(iommufd);
    const ioas = iommufd.ioas();
    must(node.attach(ioas).result, "ATTACH");
    const { readOnly } = bench.places;
    const map = (flags: number): string =>
      answer(iommufd.map({ ...good(bench, ioas, 0), user_va: readOnly, flags }).result);
    say("memory to read only", map(7));
    say("for reading", map(READ | 1));
    iommufd[Symbol.dispose]();
    say("the device still answers", info(node));
  }),
];

/** All checks of the file. */
export const nodeChecks: readonly Check[] = [...bindings, ...attachments];
