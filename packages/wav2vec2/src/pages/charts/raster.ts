import { UserError } from "../../errors.js";

/** Fonts that most machines have one of; a drawing names them because SVG cannot carry its own. */
export const FONT_FAMILY = "DejaVu Sans, Liberation Sans, Arial, Helvetica, sans-serif";

/** Pixels a unit of the drawing: sharp on screens of high density and in print. */
const ZOOM = 2;

/**
 * The pixels of an SVG drawing as PNG, its text in the system's fonts.
 * @throws UserError where the system has no font: the text would be missing without a word; where there is no build for it
 */
export async function rasterize(
  svg: string,
  fonts: FontOptions = { loadSystemFonts: true },
): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js").catch((error: unknown) => {
    throw new UserError(
      "A PNG must be drawn by @resvg/resvg-js, but that cannot be loaded. It has no build for this system, or optional packages were " +
        "left out: run npm install @resvg/resvg-js, or go without the PNG.",
      { cause: error },
    );
  });
  const probe = `<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><text y="50" font-family="${FONT_FAMILY}">A1</text></svg>`;
  if (!new Resvg(probe, { font: fonts }).getBBox())
    throw new UserError(
      "A PNG must be drawn with a font, but this system has none. Install one " +
        "(Debian and Ubuntu: apt-get install fonts-dejavu-core) or go without the PNG.",
    );
  return new Resvg(svg, { font: fonts, fitTo: { mode: "zoom", value: ZOOM } }).render().asPng();
}

interface FontOptions {
  loadSystemFonts: boolean;
  fontFiles?: string[];
}
