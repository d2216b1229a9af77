/**
 * What makes the buttons of {@link renderPlay} play, in plain JavaScript for the page: one audio element for all of them. While
 * a clip plays, the nearest element with `data-seconds` knows how much of its time has passed as `--played`.
 */
export const playScript = `
(() => {
  const clips = JSON.parse(document.getElementById("clips").textContent);
  const audio = document.getElementById("player");
  let playing = null;

  function mark(button, is) {
    button.classList.toggle("playing", is);
    button.setAttribute("aria-pressed", String(is));
    button.closest("[data-seconds]")?.classList.toggle("heard", is);
  }

  function stop() {
    if (playing) mark(playing, false);
    playing = null;
  }

  function play(button) {
    if (playing === button) { audio.pause(); stop(); return; }
    stop();
    playing = button;
    audio.src = clips[button.dataset.clip];
    audio.play().catch(() => { if (playing === button) { stop(); button.title = "This clip cannot be played."; } });
    mark(button, true);
    requestAnimationFrame(follow);
  }

  function follow() {
    const drawing = playing?.closest("[data-seconds]");
    if (!drawing) return;
    drawing.style.setProperty("--played", Math.min(1, audio.currentTime / drawing.dataset.seconds));
    requestAnimationFrame(follow);
  }

  audio.addEventListener("ended", stop);
  audio.addEventListener("pause", () => { if (audio.paused) stop(); });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-clip]");
    if (button) play(button);
  });
})();
`;
