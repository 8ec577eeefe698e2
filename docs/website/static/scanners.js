// The table of scanners: shows the rows that have all words of the field, which a link may bring (?q=).
"use strict";
const field = document.getElementById("finder");
const found = document.getElementById("found");
const rows = Array.from(document.querySelectorAll("#scanners tbody tr"), (row) => ({
  row,
  text: row.textContent.toLowerCase(),
}));

function show() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { row, text } of rows) {
    row.hidden = !words.every((word) => text.includes(word));
    count += row.hidden ? 0 : 1;
  }
  found.textContent =
    count === 0
      ? "None. It may speak eSCL or WSD all the same, or have a C backend."
      : `${count} ${count === 1 ? "model" : "models"}`;
}

field.value = new URLSearchParams(location.search).get("q") ?? "";
field.addEventListener("input", show);
show();
