// Building elements, icons, and messages for screen readers.

const SVG = "http://www.w3.org/2000/svg";
const SPRITE = new URL("icons.svg", import.meta.url).pathname;

/**
 * Make an element. Attributes: on* are listeners, true and false set or leave out, "style" is an
 * object (the page forbids inline style), others as in HTML. Children: nodes, texts, lists, null.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") setStyle(element, value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Set style properties, custom ones too. */
export function setStyle(element, style) {
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
}

/** Return an icon of the sprite; it says nothing to a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SPRITE}#${name}`);
  svg.append(use);
  return svg;
}

/** A button with an icon and a text: button("trash", t("delete"), {onclick}). */
export function button(iconName, text, attributes = {}) {
  return h("button", { type: "button", class: "button", ...attributes }, iconName && icon(iconName), h("span", {}, text));
}

/** A button that shows only an icon; its text is its name and hint. */
export function iconButton(iconName, text, attributes = {}) {
  return h("button", { type: "button", class: "button bare", "aria-label": text, title: text, ...attributes }, icon(iconName));
}

/** An element that a module will build which is still to be loaded. */
export function later(building) {
  const slot = h("div", { class: "view", "aria-busy": "true" });
  building.then((element) => slot.replaceWith(element));
  return slot;
}

/** Replace what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let announced = 0;

/** Have a screen reader say *text* when it is silent. */
export function announce(text) {
  const region = document.getElementById("polite");
  announced += 1; // the same text twice is said twice
  region.textContent = text + (announced % 2 ? "" : "\u00a0");
}

/** Show a short message for some seconds; it is also announced. */
export function toast(text, kind = "good") {
  const shown = h("p", { class: `toast ${kind}` }, icon(kind === "bad" ? "warning" : "check"), h("span", {}, text));
  document.getElementById("toasts").append(shown);
  announce(text);
  setTimeout(() => shown.remove(), 6000);
}

/** A new id for a label or description. */
export const newId = (() => {
  let count = 0;
  return (name) => `${name}-${(count += 1)}`;
})();

/** Read and keep small values across visits; a browser may forbid it. */
export const kept = {
  read(name, otherwise = null) {
    try {
      const text = localStorage.getItem(`pysane.${name}`);
      return text === null ? otherwise : JSON.parse(text);
    } catch {
      return otherwise;
    }
  },
  write(name, value) {
    try {
      localStorage.setItem(`pysane.${name}`, JSON.stringify(value));
    } catch {
      // then it lasts as long as the page
    }
  },
};

/** Call *change* with a smooth move of the children of *list*, unless less motion is wanted. */
export function moveSmoothly(list, change) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const before = new Map([...list.children].map((child) => [child, child.getBoundingClientRect()]));
  change();
  if (still) return;
  for (const [child, was] of before) {
    const now = child.getBoundingClientRect();
    const [x, y] = [was.left - now.left, was.top - now.top];
    if (child.isConnected && (x || y)) {
      child.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }], { duration: 160, easing: "ease-out" });
    }
  }
}
