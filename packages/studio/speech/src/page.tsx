import { render } from "preact";
import { App } from "./app.js";
import type { Site } from "./site.js";

export async function showPage(site: Promise<Site>): Promise<void> {
  const place = document.getElementById("app")!;
  try {
    const { models } = await site;
    // What is kept for later must not hold up what is waited for now.
    const keep = () => void keepOffline(models.map(({ directory }) => directory));
    render(<App site={await site} onLoaded={keep} />, place);
  } catch (error) {
    render(<p class="gone">{(error as Error).message}</p>, place);
  }
}

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
