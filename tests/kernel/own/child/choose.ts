/** Chooses the account of an iommufd, as somebody who may not. Runs as a child of account_test.ts. */
import { Iommufd, VfioError } from "../../../../mod.ts";
import { report } from "../../support/child.ts";

function choose(): unknown {
  using iommufd = Iommufd.open();
  try {
    iommufd.account = "process";
    return { account: iommufd.account };
  } catch (error) {
    if (!(error instanceof VfioError)) throw error;
    const { code, operation, message } = error;
    const named = message.includes("CAP_SYS_RESOURCE");
    return { code, operation, named, account: iommufd.account };
  }
}

if (import.meta.main) report({ chosen: choose() });
