/** What a group answers. */

import { O_RDWR } from "../../sys/constant.ts";
import {
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_GET_STATUS,
  VFIO_GROUP_SET_CONTAINER,
} from "../../uapi/request.ts";
import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import type { RawGroup } from "../container.ts";
import { answer, must, NULL, RawFile, words32 } from "../raw.ts";

function flags(group: RawGroup): string {
  const status = words32(8, 0);
  const result = group.ask(VFIO_GROUP_GET_STATUS, status);
  if (result < 0) return answer(result);
  const given = new Uint32Array(status.buffer)[1]!;
  return [given & 1 ? "viable" : "not viable", given & 2 ? "in a container" : "alone"].join(", ");
}

/** What an open answered; the file is closed. */
function closed(bench: Bench, fd: number): string {
  if (fd >= 0) bench.kernel.close(fd);
  return answer(fd);
}

const name = (text: string): Uint8Array => new TextEncoder().encode(text);

/** All checks of the file. */
export const groupChecks: readonly Check[] = [
  {
    name: "group: open twice",
    rule: "group.open",
    needs: ["device"],
    run: (bench, say) => {
      const path = `/dev/vfio/${bench.pci.group}`;
      {
        using _group = bench.group();
        say("open again", answer(bench.kernel.open(path, O_RDWR)));
      }
      const fd = bench.kernel.open(path, O_RDWR);
      say("open after close", answer(fd));
      if (fd >= 0) bench.kernel.close(fd);
    },
  },
  {
    name: "group: GET_STATUS",
    rule: "group.argsz",
    needs: ["device"],
    run: (bench, say) => {
      using group = bench.group();
      for (const argsz of [0, 7, 8, 9, 4096]) {
        say(`argsz ${argsz}`, answer(group.ask(VFIO_GROUP_GET_STATUS, words32(argsz, 0))));
      }
      say("NULL", answer(group.ask(VFIO_GROUP_GET_STATUS, NULL)));
      say("alone", flags(group));
      using file = bench.emptyContainer();
      must(group.join(file.fd), "SET_CONTAINER");
      say("in a container", flags(group));
      group.leave();
      say("alone again", flags(group));
    },
  },
  {
    name: "group: SET_CONTAINER of no file",
    rule: "group.file",
    needs: ["device"],
    run: (bench, say) => {
      using group = bench.group();
      say("NULL", answer(group.ask(VFIO_GROUP_SET_CONTAINER, NULL)));
      say("file -1", answer(group.join(-1)));
      say("a file that is not open", answer(group.join(0x7fff_0000)));
    },
  },
  {
    name: "group: SET_CONTAINER of what is no container",
    rule: "group.kind",
    needs: ["device"],
    run: (bench, say) => {
      using group = bench.group();
      const { kernel } = bench;
      using nothing = new RawFile(kernel, must(kernel.open("/dev/null", O_RDWR), "open of null"));
      say("/dev/null", answer(group.join(nothing.fd)));
      say("the group itself", answer(group.join(group.fd)));
    },
  },
  {
    name: "group: SET_CONTAINER twice",
    rule: "group.again",
    needs: ["device"],
    run: (bench, say) => {
      using group = bench.group();
      using file = bench.emptyContainer();
      using other = bench.emptyContainer();
      say("a container", answer(group.join(file.fd)));
      say("the same again", answer(group.join(file.fd)));
      say("another one", answer(group.join(other.fd)));
      say("file -1, in a container", answer(group.join(-1)));
    },
  },
  {
    name: "group: UNSET_CONTAINER without a container",
    rule: "group.none",
    needs: ["device"],
    run: (bench, say) => {
      using group = bench.group();
      say("without a container", answer(group.leave()));
      using file = bench.emptyContainer();
      must(group.join(file.fd), "SET_CONTAINER");
      say("in a container", answer(group.leave()));
      say("again", answer(group.leave()));
    },
  },
  {
    name: "group: UNSET_CONTAINER with an open device",
    rule: "group.busy",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      const { group } = container;
      {
        using _device = group.device(bench.pci.name);
        say("with an open device", answer(group.leave()));
      }
      say("with none", answer(group.leave()));
      say("again", answer(group.leave()));
    },
  },
  {
    name: "group: GET_DEVICE_FD without an IOMMU",
    rule: "group.iommu",
    needs: ["container"],
    run: (bench, say) => {
      using file = bench.emptyContainer();
      using group = bench.group();
      const ask = (text: string): string => closed(bench, group.deviceFd(text));
      const { name: pci } = bench.pci;
      say("without a container", ask(pci));
      say("another name without a container", ask("none"));
      must(group.join(file.fd), "SET_CONTAINER");
      say("without an IOMMU", ask(pci));
      must(file.askValue(0x3b66, 3), "SET_IOMMU");
      say("with an IOMMU", ask(pci));
    },
  },
  {
    name: "group: GET_DEVICE_FD by name",
    rule: "group.device",
    needs: ["container"],
    run: (bench, say) => {
      using container = bench.container();
      const { group } = container;
      const ask = (text: string): string => closed(bench, group.deviceFd(text));
      const { name: pci } = bench.pci;
      say("its device", ask(pci));
      say("another name", ask("none"));
      say("no name", ask(""));
      say("its name and more", ask(`${pci}0`));
      say("its name but the last letter", ask(pci.slice(0, -1)));
      say("a line", ask(`${pci}\n`));
      say("NULL", answer(group.ask(VFIO_GROUP_GET_DEVICE_FD, NULL)));
      const long = name("x".repeat(4 * Number(bench.page)));
      say("a name without an end", answer(group.ask(VFIO_GROUP_GET_DEVICE_FD, long)));
      using one = group.device(pci);
      using two = group.device(pci);
      say("twice", one.fd === two.fd ? "one file" : "two files");
    },
  },
  {
    name: "group: GET_DEVICE_FD of another group's device",
    rule: "group.device",
    needs: ["container", "second"],
    run: (bench, say) => {
      using container = bench.container();
      say("GET_DEVICE_FD", answer(container.group.deviceFd(bench.second.name)));
    },
  },
  {
    name: "group: an unknown request",
    rule: "group.unknown",
    needs: ["device"],
    run: (bench, say) => {
      using group = bench.group();
      say("a request", answer(group.ask(0x3bff, NULL)));
      say("GET_API_VERSION", answer(group.call(0x3b64)));
    },
  },
  {
    name: "group: not viable",
    rule: "group.viable",
    needs: ["non-viable"],
    run: (bench, say) => {
      using group = bench.group(bench.nonViable);
      using file = bench.emptyContainer();
      say("GET_STATUS", flags(group));
      say("SET_CONTAINER", answer(group.join(file.fd)));
      say("/dev/vfio/vfio goes without it", answer(file.call(0x3b64)));
      say("file -1", answer(group.join(-1)));
    },
  },
];
