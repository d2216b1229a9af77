import "virtual:colors.css";
import "../../src/style/base.css";
import "./style.css";
import { threadCount } from "./engine.js";
import { addressOf, readSite } from "./site.js";
import { warmSpare } from "./spare-worker.js";

// What takes longest begins first: the worker and in it the engine, before the page's own code is there.

const site = readSite();
site.then(
  // Where the GPU may be taken, it is another engine.
  ({ webgpu }) => !webgpu && warmSpare(addressOf("ort/"), threadCount()),
  () => {}, // the page tells it
);
void import("./page.js").then(({ showPage }) => showPage(site));
