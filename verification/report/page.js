"use strict";
// Filters by verdict and by text, kept in the fragment so that a view can be sent to somebody.
const articles = [...document.querySelectorAll("article")];
const sections = [...document.querySelectorAll("section")];
const buttons = [...document.querySelectorAll("nav button")];
const field = document.getElementById("text");
let verdict = "";

function show() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const article of articles) {
    const fits = (!verdict || article.dataset.verdict === verdict)
      && words.every((word) => article.dataset.text.includes(word));
    article.hidden = !fits;
  }
  for (const section of sections) section.hidden = !section.querySelector("article:not([hidden])");
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.verdict === verdict));
  const shown = articles.filter((article) => !article.hidden).length;
  document.getElementById("shown").textContent = `${shown} of ${articles.length} shown`;
  document.getElementById("none").hidden = shown > 0;
  document.documentElement.dataset.shown = String(shown);
}

function keep() {
  const view = new URLSearchParams();
  if (verdict) view.set("verdict", verdict);
  if (field.value.trim()) view.set("text", field.value.trim());
  history.replaceState(null, "", view.size ? `#${view}` : location.pathname + location.search);
  show();
}

function read() {
  const fragment = location.hash.slice(1);
  const view = new URLSearchParams(fragment.includes("=") ? fragment : "");
  const wanted = view.get("verdict") ?? "";
  verdict = buttons.some((button) => button.dataset.verdict === wanted) ? wanted : "";
  field.value = view.get("text") ?? "";
  show();
  const target = fragment.includes("=") ? null : document.getElementById(decodeURIComponent(fragment));
  if (target) target.scrollIntoView();
}

for (const button of buttons) {
  button.addEventListener("click", () => { verdict = button.dataset.verdict; keep(); });
}
field.addEventListener("input", keep);
addEventListener("hashchange", read);

// On paper nothing can be unfolded.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const details of folded) details.open = true;
});
addEventListener("afterprint", () => { for (const details of folded) details.open = false; });

// How many formulas are drawn, and how many of them have no extent: said for whoever checks the page.
function measure() {
  const formulas = [...document.querySelectorAll("math")].filter((element) => !element.closest("details:not([open])"));
  const empty = (element) => { const box = element.getBoundingClientRect(); return !(box.width > 0 && box.height > 0); };
  document.documentElement.dataset.formulas = String(formulas.length);
  document.documentElement.dataset.empty = String(formulas.filter(empty).length);
}

measure();
read();
