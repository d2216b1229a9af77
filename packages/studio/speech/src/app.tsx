import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Icon, ThemeSwitch } from "../../src/frame.js";
import { Downloads } from "./downloads.js";
import { ModelBar } from "./model-bar.js";
import { type EngineChoice, type ModelState, RecognizerClient } from "./recognizer-client.js";
import { Session } from "./session.js";
import type { Site } from "./site.js";
import { clock, TranscriptView } from "./transcript-view.js";
import { CloseView, heldUntil, Overview } from "./waveform.js";

interface AppProps {
  site: Site;
  /** Is called once a model is loaded, or cannot be. */
  onLoaded(): void;
}

/** The whole page: which model, what is to be recognised, and what was. */
export function App({ site, onLoaded }: AppProps) {
  const [names, setNames] = useState<[string, string | undefined]>([site.models[0]?.name ?? "", undefined]);
  const [engine, setEngine] = useState<EngineChoice>("auto");
  const [hotwords, setHotwords] = useState("");
  const [languageModel, setLanguageModel] = useState<File>();
  const [, redraw] = useState(0);
  const change = useCallback(() => redraw((count) => count + 1), []);
  const clients = useMemo(() => {
    const chosen = names.filter((name) => name !== undefined && name !== "");
    return chosen.map((name) => {
      const model = site.models.find((one) => one.name === name)!;
      return new RecognizerClient(site, model, engine, change);
    });
  }, [names.join("\n"), engine]);
  useEffect(() => {
    void Promise.all(clients.map((client) => client.load())).then(onLoaded);
    return () => {
      for (const client of clients) client.close();
    };
  }, [clients]);
  useEffect(() => {
    for (const client of clients) client.useLanguageModel(languageModel);
  }, [clients, languageModel]);
  const states = clients.map(({ state }) => state);
  const isReady = states.length > 0 && states.every(({ is }) => is === "ready");
  const words = hotwords
    .split(/[,;\n]/)
    .map((word) => word.trim())
    .filter(Boolean);
  return (
    <>
      <header class="top">
        <span class="brand">
          <Icon name="wave" />
          wav2vec2
        </span>
        <span class="top-tools">
          <ThemeSwitch />
        </span>
      </header>
      <main>
        <h1>Speech to text</h1>
        <p class="soft lead">In this page alone: nothing that you say or open leaves this machine.</p>
        <ModelBar
          site={site}
          names={names}
          states={states}
          engine={engine}
          hotwords={hotwords}
          languageModel={languageModel}
          languageProblem={clients.find((client) => client.languageProblem)?.languageProblem}
          onLanguageModel={setLanguageModel}
          onNames={setNames}
          onEngine={setEngine}
          onHotwords={setHotwords}
        />
        <Recognition clients={clients} isReady={isReady} states={states} hotwords={words} />
      </main>
    </>
  );
}

interface RecognitionProps {
  clients: readonly RecognizerClient[];
  isReady: boolean;
  states: readonly ModelState[];
  hotwords: string[];
}

function Recognition({ clients, isReady, hotwords }: RecognitionProps) {
  const [session, setSession] = useState<Session>();
  const [mistake, setMistake] = useState<string>();
  const [isOver, setIsOver] = useState(false);
  const change = useThrottledChange();
  const input = useRef<HTMLInputElement>(null);
  // What another model has not read is no longer to be seen beside it.
  useEffect(() => setSession(undefined), [clients]);
  useEffect(() => () => void session?.close(), [session]);

  const open = (file: File | undefined): void => {
    if (!file || !isReady) return;
    setMistake(undefined);
    const next = new Session(file.name, change);
    setSession(next);
    void next.openFile(file, clients, hotwords);
  };
  const speak = async (): Promise<void> => {
    if (session?.isListening) return await session.stop();
    setMistake(undefined);
    const next = new Session("microphone", change);
    try {
      await next.listen(clients, hotwords);
      setSession(next);
    } catch (error) {
      setMistake((error as Error).message);
    }
  };
  const isListening = session?.isListening === true;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const key = event.key.toLowerCase();
      if (key === "r" && isReady) void speak();
      else if (key === "o" && isReady && !isListening) input.current?.click();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
  return (
    <>
      <section
        class={isOver ? "drop over" : "drop"}
        aria-label="What to recognise"
        onDragOver={(event) => {
          event.preventDefault();
          setIsOver(true);
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setIsOver(false);
          open(event.dataTransfer?.files[0]);
        }}
      >
        <button
          type="button"
          class={isListening ? "speak listening" : "speak"}
          disabled={!isReady}
          onClick={() => void speak()}
        >
          {isListening ? `Stop, ${clock(session.duration)}` : "Speak"}
        </button>
        <button type="button" disabled={!isReady || isListening} onClick={() => input.current?.click()}>
          Open a recording
        </button>
        <input
          ref={input}
          type="file"
          hidden
          aria-label="Recording"
          accept="audio/*,video/*,.flac,.wav,.mp3,.ogg,.opus,.webm,.m4a,.sph"
          onChange={(event) => {
            open(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
        <span class="soft drop-note">or drop one here</span>
        <span class="soft keys-note">
          <kbd>R</kbd> speak <kbd>O</kbd> open
        </span>
      </section>
      <div role="alert">{mistake !== undefined && <p class="gone notice">{mistake}</p>}</div>
      {session && <Result key={session.name} session={session} />}
    </>
  );
}

function Result({ session }: { session: Session }) {
  const audio = useRef<HTMLAudioElement>(null);
  const [time, setTime] = useState(0);
  const [isPlaying, setIsPlaying] = useState(false);
  const [isEditing, setIsEditing] = useState(false);
  const { readings, words, duration, isListening, isWorking } = session;
  const word =
    session.address === undefined
      ? undefined
      : words.find(({ start }, i) => start <= time && time < heldUntil(words, i));
  const seek = (to: number, plays = true): void => {
    setTime(to);
    if (!audio.current) return;
    audio.current.currentTime = to;
    if (plays) void audio.current.play();
  };
  useEffect(() => {
    if (!isPlaying) return;
    let frame = 0;
    const follow = (): void => {
      if (audio.current) setTime(audio.current.currentTime);
      frame = requestAnimationFrame(follow);
    };
    follow();
    return () => cancelAnimationFrame(frame);
  }, [isPlaying]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event.target) || event.target instanceof HTMLButtonElement) return;
      if (event.key !== " " || !audio.current) return;
      event.preventDefault();
      if (audio.current.paused) void audio.current.play();
      else audio.current.pause();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const address = session.address;
  // While somebody speaks, what is new is looked at.
  const shownTime = isListening || address === undefined ? duration : time;
  const canSave = !isListening && !isWorking && (readings[0]?.segments.length ?? 0) > 0;
  return (
    <section class="result" aria-label="What was recognised">
      {duration > 0 && (
        <div class="sound">
          <div class="sound-head">
            <strong class="name">{session.name}</strong>
            {address !== undefined && (
              <>
                <button
                  type="button"
                  onClick={() => (isPlaying ? audio.current?.pause() : void audio.current?.play())}
                >
                  {isPlaying ? "Pause" : "Play"}
                </button>
                <input
                  type="range"
                  class="seek"
                  aria-label="Place in the recording"
                  aria-valuetext={`${clock(time)} of ${clock(duration)}`}
                  min="0"
                  max={duration}
                  step="0.1"
                  value={time}
                  onInput={(event) => seek(Number(event.currentTarget.value), false)}
                />
              </>
            )}
            <span class="soft time-note">
              {clock(shownTime)} / {clock(duration)}
            </span>
          </div>
          <Overview session={session} time={shownTime} word={word} onSeek={seek} />
          <CloseView session={session} time={shownTime} word={word} onSeek={seek} />
          {/* biome-ignore lint/a11y/useMediaCaption: its words are the page */}
          <audio
            ref={audio}
            src={address}
            onPlay={() => setIsPlaying(true)}
            onPause={() => setIsPlaying(false)}
            onEnded={() => setIsPlaying(false)}
          />
        </div>
      )}
      <div class={readings.length > 1 ? "readings two" : "readings"}>
        {readings.map((reading, i) => (
          <article key={reading.client.model.name} class="reading">
            <div class="reading-head">
              <h2>{readings.length > 1 ? reading.client.model.name : "Transcript"}</h2>
              <span class="soft" role="status">
                {statusOf(session, i)}
              </span>
              {i === 0 && canSave && (
                <span class="reading-tools">
                  <button type="button" aria-pressed={isEditing} onClick={() => setIsEditing(!isEditing)}>
                    {isEditing ? "Done" : "Correct"}
                  </button>
                  <Downloads session={session} />
                </span>
              )}
            </div>
            {reading.error !== undefined && (
              <p class="gone notice" role="alert">
                {reading.error}
              </p>
            )}
            <TranscriptView
              session={session}
              reading={reading}
              word={i === 0 ? word : undefined}
              other={readings.length > 1 && !isWorking ? readings[1 - i] : undefined}
              isEditing={isEditing && i === 0}
              onPlay={seek}
            />
          </article>
        ))}
      </div>
    </section>
  );
}

function statusOf(session: Session, index: number): string {
  const { segments, seconds, error } = session.readings[index]!;
  if (error !== undefined) return "";
  if (session.isListening) return "Listening";
  if (seconds === undefined) return "Recognising";
  if (segments.every(({ text }) => text === "")) return "No speech was found";
  return session.name === "microphone"
    ? ""
    : `in ${seconds.toFixed(1)} s, ${(session.duration / seconds).toFixed(1)} times as fast as it was said`;
}

/** Draws anew some times a second at most, whatever comes; also in a tab in the background, where frames do not. */
function useThrottledChange(): () => void {
  const [, redraw] = useState(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  return useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      redraw((count) => count + 1);
    }, 40);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.matches("input:not([type=checkbox], [type=range], [type=file]), select, textarea")
  );
}
