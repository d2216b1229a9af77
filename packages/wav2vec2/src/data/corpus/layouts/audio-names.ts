import { extname } from "node:path";

/** Endings of what is read. */
const READ = endings("flac wav wave bwf mp3 mpga ogg oga opus");

/**
 * Endings of recordings in other formats: of telephones and dictaphones, of cameras and browsers, of other systems and
 * codecs, of older corpora. Most are not read; those of NIST SPHERE (`sph`, `wv1`) and of WebM may be, by their contents.
 */
const OTHER = endings(
  "m4a m4b m4r mp4 m4v mov aac adts 3gp 3gpp 3g2 3ga amr awb qcp caf aif aiff aifc",
  "webm weba mkv mka ogv ogx avi mpg mpeg mts m2ts flv f4a f4v wma wmv asf rm ra ram",
  "au snd spx wv ape tta tak alac mp1 mp2 mpa m2a ac3 eac3 dts mpc dsf dff",
  "w64 rf64 rifx sph sphere nist wv1 wv2 shn voc vox gsm g722 g726 g729 ircam sd2 dss ds2 raw pcm sln ulaw alaw ul al",
);

function endings(...lists: string[]): ReadonlySet<string> {
  return new Set(lists.flatMap((list) => list.split(" ").map((ending) => `.${ending}`)));
}

/**
 * The names of recordings among those of a directory's files, by their ends; their contents decide how they are decoded.
 * Those of other formats are among them, so that reading says so and none is left out in silence, but not
 * where a file that is read has the same name otherwise: that is what it was converted to.
 */
export function audioNames(files: readonly string[]): string[] {
  const visible = files.filter((name) => !isHidden(name));
  const isRead = (name: string) => READ.has(extname(name).toLowerCase());
  const read = new Set(visible.filter(isRead).map(stemOf));
  return visible.filter(
    (name) => isRead(name) || (OTHER.has(extname(name).toLowerCase()) && !read.has(stemOf(name))),
  );
}

/** Without its ending. */
export function stemOf(name: string): string {
  return name.slice(0, name.length - extname(name).length);
}

/** Hidden files are the system's or somebody's tool's: `._clip.wav` of macOS is no audio. */
export function isHidden(name: string): boolean {
  return name.startsWith(".");
}
