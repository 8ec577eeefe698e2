// Before anything is drawn: the theme, the language, and its words on their way.
"use strict";

(() => {
  const LANGUAGES = ["en", "de", "fr", "es", "zh"];

  const kept = (name) => {
    try {
      return localStorage.getItem(`pysane.${name}`) || "";
    } catch {
      return ""; // a browser may forbid it
    }
  };
  const folder = document.currentScript.src.replace(/[^/]*$/, "");
  const system = matchMedia("(prefers-color-scheme: dark)");

  const showTheme = () => {
    const chosen = kept("theme");
    const theme = chosen || (system.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    const colour = document.querySelector("meta[name=theme-color]");
    if (colour) colour.content = theme === "dark" ? "#111517" : "#f4f3ef";
  };
  const chooseLanguage = () => {
    const wanted = [kept("language"), ...navigator.languages, "en"];
    return wanted.map((name) => name.slice(0, 2).toLowerCase()).find((name) => LANGUAGES.includes(name));
  };
  const load = async (language) => {
    const response = await fetch(`${folder}languages/${language}.json`);
    return response.json();
  };

  // What the page asks for first is on its way while its modules are still being read.
  const early = new Map();
  const ask = (path) => {
    const url = new URL(`api/v1/${path}`, document.baseURI).href;
    const answer = fetch(url, { credentials: "same-origin" });
    answer.catch(() => {}); // it is asked for again
    early.set(url, answer);
    return answer;
  };
  const askFirst = async () => {
    ask("session");
    const answer = await ask("scanners");
    if (!answer.ok) return;
    const { scanners } = await answer.clone().json();
    const chosen = scanners.find((one) => JSON.stringify(one.id) === kept("scanner")) ?? scanners[0];
    if (chosen && (scanners.length === 1 || kept("scanner"))) ask(`scanners/${chosen.id}/capabilities`);
  };
  askFirst().catch(() => {});

  system.addEventListener("change", showTheme);
  showTheme();
  const language = chooseLanguage();
  document.documentElement.lang = language === "zh" ? "zh-Hans" : language;
  window.pysaneStart = { LANGUAGES, language, words: load(language), chooseLanguage, load, showTheme, early };
})();
