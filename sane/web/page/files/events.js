// The server's events, for as long as the page is open; a lost connection comes back by itself.

import { address } from "./api.js";

const KINDS = ["scanner", "job", "page", "document", "delivery", "button", "missed"];
const LONGEST_WAIT = 10_000;
const FIRST_WAIT = 1000;

let source = null;
let timer = 0;

/**
 * Listen until stop(). told(kind, data) for each event, connected(bool) when the connection comes
 * or goes: what happened in between is then to be asked for.
 */
export function listen(told, connected) {
  let wait = FIRST_WAIT;
  stop();
  const open = () => {
    source = new EventSource(address(["events"]));
    source.onopen = () => {
      wait = FIRST_WAIT;
      connected(true);
    };
    source.onerror = () => {
      connected(false);
      source.close(); // the browser's own new tries end at the first answer with an error
      clearTimeout(timer);
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    };
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => told(kind, JSON.parse(event.data)));
    }
  };
  const now = () => {
    if (source?.readyState !== EventSource.CLOSED || document.hidden) return;
    clearTimeout(timer);
    open();
  };
  addEventListener("online", now);
  document.addEventListener("visibilitychange", now); // a phone that was locked
  open();
}

/** Listen no more: a login is needed. */
export function stop() {
  clearTimeout(timer);
  source?.close();
  source = null;
}
