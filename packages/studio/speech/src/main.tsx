import "virtual:colors.css";
import "../../src/style/base.css";
import "./style.css";
import { render } from "preact";
import { App } from "./app.js";
import { readSite } from "./site.js";

const place = document.getElementById("app")!;

readSite().then(
  (site) => {
    render(<App site={site} />, place);
    void keepOffline(site.models.map(({ directory }) => directory));
  },
  (error: Error) => render(<p class="gone">{error.message}</p>, place),
);

/** Lets a worker keep the page for when there is no network. Without one, the page works as well. */
async function keepOffline(directories: string[]): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("./offline.js");
    const { active } = await navigator.serviceWorker.ready;
    active?.postMessage({ type: "keep", directories });
  } catch {
    // A server may forbid it; a private window has none.
  }
}
