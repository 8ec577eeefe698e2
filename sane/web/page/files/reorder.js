// Giving the pages of a list another order, by pointer and by arrow keys.

import { announce, h, moveSmoothly, setStyle } from "./dom.js";
import { t } from "./words.js";

const THRESHOLD = 6; // px before a press becomes a drag

/**
 * Let the items of *list* be dragged by their .grip, with a mouse by all of them. done() is called
 * when the order has changed. Returns a function that takes the arrow keys of a grip.
 */
export function reorderable(list, done) {
  list.addEventListener("pointerdown", (event) => {
    const item = event.target.closest("li[data-page]");
    const byGrip = event.target.closest(".grip");
    if (!item || event.button || (!byGrip && (event.pointerType !== "mouse" || event.target.closest(".page-tools")))) return;
    press(event, item);
  });

  const press = (event, item) => {
    const from = { x: event.clientX, y: event.clientY };
    const before = order(list);
    let ghost = null;
    const move = (later) => {
      const [x, y] = [later.clientX - from.x, later.clientY - from.y];
      if (!ghost && Math.hypot(x, y) < THRESHOLD) return;
      ghost ??= lift(item);
      setStyle(ghost, { transform: `translate(${x}px, ${y}px) rotate(1.5deg) scale(1.02)` });
      const items = [...list.children];
      const over = items.find((one) => one.dataset.page && holds(list, one, later));
      if (!over || over === item) return;
      const after = items.indexOf(over) > items.indexOf(item);
      moveSmoothly(list, () => (after ? over.after(item) : over.before(item)));
    };
    const end = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      if (!ghost) return;
      ghost.remove();
      item.classList.remove("lifted");
      // The click that follows a drag opens nothing.
      addEventListener("click", swallow, { capture: true, once: true });
      setTimeout(() => removeEventListener("click", swallow, { capture: true }), 0);
      if (order(list).join() !== before.join()) done(order(list));
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  };

  return (event, item) => {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...list.querySelectorAll("li[data-page]")];
    const at = items.indexOf(item);
    const other = items[at + step];
    if (!other) return;
    moveSmoothly(list, () => (step > 0 ? other.after(item) : other.before(item)));
    item.querySelector(".grip").focus();
    announce(t("page.moved", { from: at + 1, to: at + 1 + step, n: items.length }));
    done(order(list));
  };
}

const order = (list) => [...list.querySelectorAll("li[data-page]")].map((item) => item.dataset.page);

// By its place in the list: an item that still moves there is elsewhere on the screen.
function holds(list, item, event) {
  const box = list.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left - item.offsetLeft, event.clientY - box.top - item.offsetTop];
  return x >= 0 && y >= 0 && x < item.offsetWidth && y < item.offsetHeight;
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}

function lift(item) {
  const box = item.getBoundingClientRect();
  const ghost = h("div", { class: "ghost", "aria-hidden": "true" }, item.querySelector(".page-sheet").cloneNode(true));
  ghost.querySelectorAll("button").forEach((one) => one.removeAttribute("aria-label"));
  setStyle(ghost, { left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px` });
  document.body.append(ghost);
  item.classList.add("lifted");
  return ghost;
}
