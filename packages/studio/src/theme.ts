import { useEffect, useState } from "preact/hooks";
import { type Settings, useSetting } from "./settings.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Whether the page is light or dark now. */
export function useScheme(): "light" | "dark" {
  const [theme] = useSetting("theme");
  const [isDark, setIsDark] = useState(dark.matches);
  useEffect(() => {
    const changed = (): void => setIsDark(dark.matches);
    dark.addEventListener("change", changed);
    return () => dark.removeEventListener("change", changed);
  }, []);
  return theme === "system" ? (isDark ? "dark" : "light") : theme;
}

/** The switch's setting, put to the page; `theme.js` does it when the page is loaded. */
export function useTheme(): [Settings["theme"], (theme: Settings["theme"]) => void] {
  const [theme, setTheme] = useSetting("theme");
  return [
    theme,
    (next) => {
      if (next === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = next;
      setTheme(next);
    },
  ];
}
