import { join } from "node:path";
import { UserError } from "../../errors.js";
import { reasonOf, writeFileAtomic } from "../../files/atomic/atomic-file.js";
import { makeDirectory } from "../../files/make-directory.js";
import type { Chart, ChartOptions } from "../../pages/charts/chart.js";
import { chartPicture } from "../../pages/charts/chart-picture.js";
import { rasterize } from "../../pages/charts/raster.js";

/**
 * Writes each chart as a PNG named after its title, such as `training-loss.png`; one without points is left out.
 *
 * @returns the paths
 * @throws UserError where the directory cannot be written to, or the system has no font
 */
export async function writeCurvePictures(
  directory: string,
  charts: readonly Chart[],
  options: ChartOptions = {},
): Promise<string[]> {
  await makeDirectory(directory).catch((error: unknown) => {
    throw new UserError(`${directory} must be a directory that can be written to, but ${reasonOf(error)}.`);
  });
  const paths: string[] = [];
  for (const chart of charts) {
    const svg = chartPicture(chart, options);
    if (svg === "") continue;
    const path = join(directory, `${pictureName(chart.title)}.png`);
    await writeFileAtomic(path, await rasterize(svg));
    paths.push(path);
  }
  return paths;
}

function pictureName(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
