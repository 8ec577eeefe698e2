// A page as it is shown: turned and cut by the browser, from the picture as it was scanned.

import { address } from "./api.js";
import { h, setStyle } from "./dom.js";

const WHOLE = { left: 0, top: 0, width: 1, height: 1 };

/** Width and height of a page as shown, in pixels of the scan. */
export function shownSize(page, crop = page.crop ?? WHOLE, rotate = page.rotate) {
  const [width, height] = [page.width * crop.width, page.height * crop.height];
  return rotate % 180 ? [height, width] : [width, height];
}

/** Return an element that shows a page; size is thumb, screen or full. */
export function picture(documentId, page, { size = "thumb", alt = "", crop = page.crop ?? WHOLE, rotate = page.rotate } = {}) {
  const [width, height] = shownSize(page, crop, rotate);
  const source = (wanted) => address(["documents", documentId, "pages", page.id, "image"], { size: wanted, scanned: 1 });
  const image = h("img", { src: source("thumb"), alt, decoding: "async", draggable: "false" });
  if (size !== "thumb") sharpen(image, source(size));
  setStyle(image, {
    width: `${100 / crop.width}%`,
    height: `${100 / crop.height}%`,
    left: `${(-100 * crop.left) / crop.width}%`,
    top: `${(-100 * crop.top) / crop.height}%`,
  });
  const turned = h("div", { class: "picture-turned" }, image);
  const lies = rotate % 180;
  setStyle(turned, {
    width: lies ? `${(100 * height) / width}%` : "100%",
    height: lies ? `${(100 * width) / height}%` : "100%",
    transform: `translate(-50%, -50%) rotate(${rotate}deg)`,
  });
  const shown = h("div", { class: "picture" }, turned);
  setStyle(shown, { "--ratio": `${width} / ${height}`, "--ratio-number": `${width / height}` });
  image.addEventListener("load", () => shown.classList.add("loaded"));
  return shown;
}

// The small picture is there at once; the large one takes its place when it has come.
function sharpen(image, src) {
  const large = h("img", { src });
  large.decode().then(
    () => {
      image.src = src;
    },
    () => {} // the small one stays
  );
}

/** Turn a crop of the page as shown into one of the page as scanned. */
export function toScanned(crop, rotate) {
  const { left, top, width, height } = crop;
  if (rotate === 90) return { left: top, top: 1 - left - width, width: height, height: width };
  if (rotate === 180) return { left: 1 - left - width, top: 1 - top - height, width, height };
  if (rotate === 270) return { left: 1 - top - height, top: left, width: height, height: width };
  return crop;
}

/** Turn a crop of the page as scanned into one of the page as shown. */
export const toShown = (crop, rotate) => toScanned(crop, (360 - rotate) % 360);
