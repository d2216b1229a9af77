import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import { DTYPES, type Dtype, dtypeNamed, networkFile, PREFERRED } from "./dtypes.js";
import { notExported } from "./not-exported.js";

/** In which numbers `export` wrote networks to a directory. */
export function exportedDtypes(directory: string): Dtype[] {
  return DTYPES.filter((dtype) => existsSync(join(directory, networkFile(dtype))));
}

/**
 * The one that is wanted of an exported directory, or the one that loses least.
 *
 * @throws UserError where it is not there, naming those that are
 */
export function exportedDtype(directory: string, wanted?: string | undefined): Dtype {
  const there = exportedDtypes(directory);
  const dtype = wanted === undefined ? undefined : dtypeNamed(wanted);
  if (dtype !== undefined && there.includes(dtype)) return dtype;
  if (there.length === 0) throw notExported(directory, dtype);
  if (dtype !== undefined)
    throw new UserError(
      `${directory} must hold ${networkFile(dtype)} to be run in ${dtype}, but holds ${there.join(", ")} alone. Take one of these, or ` +
        `export the model again with --dtype ${[...there, dtype].join(" ")}.`,
      { code: "ERR_MODEL_NOT_FOUND" },
    );
  return PREFERRED.find((candidate) => there.includes(candidate))!;
}
