// Live change, search as you type, and a word when credtray is gone. All else works without this script.
"use strict";
(() => {
  const main = document.getElementById("main");
  const away = document.getElementById("away");
  document.documentElement.classList.add("live");
  let latest = main.innerHTML.trim();
  let fetching = false;
  let again = false;
  let answered = 0;  // forms; what was asked for before one was answered is not shown after it

  // --- what is shown is exchanged, and whoever is using it notices nothing ---------------------------------

  // How something is found again after the exchange: by its id, or by its row and what it is there.
  function key(node) {
    if (node.id) return `#${CSS.escape(node.id)}`;
    const row = node.closest("li[data-profile]");
    const box = node.closest("details[id]");
    const within = row ? `li[data-profile="${CSS.escape(row.dataset.profile)}"] ` : box ? `#${CSS.escape(box.id)} ` : "";
    if (node.matches(".radio, .switch")) return `${within}.${node.classList[0]}`;
    if (node.localName === "summary") return `${within}${row ? "." + box.className.split(" ").join(".") : ""} > summary`;
    const leads = node.getAttribute("formaction") || node.getAttribute("href");
    if (leads) return `${within}[${node.hasAttribute("href") ? "href" : "formaction"}="${CSS.escape(leads)}"]`;
    const form = node.closest("form[action]");
    return form ? `${within}form[action="${CSS.escape(form.getAttribute("action"))}"] button` : "";
  }

  // Only what a person has typed stays. With it stays what its form has seen: the answer then tells them apart.
  function dirty(input) {
    if (input.type === "checkbox") return input.checked !== input.defaultChecked;
    if (input.localName !== "select") return input.value !== input.defaultValue;
    return [...input.options].some((each) => each.selected !== each.defaultSelected);
  }

  function keep(typed, input) {
    typed.set(input.id, input.type === "checkbox" ? input.checked : input.value);
    const seen = document.getElementById(`${input.id}-was`);
    if (seen) typed.set(seen.id, seen.value);
  }

  // What a form has just sent is not typed any more; but it is what a person wants to mend, if it was refused.
  function swap(html, sent = "", was = "") {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    if (fresh.innerHTML.trim() === latest) return;
    latest = fresh.innerHTML.trim();
    const focused = main.contains(document.activeElement) ? document.activeElement : null;
    const place = focused ? key(focused) : "";
    const typed = new Map();
    for (const input of main.querySelectorAll("input[id], select[id]")) if (input.id !== sent && dirty(input)) keep(typed, input);
    const range = focused && focused.localName === "input" && /text|search|url/.test(focused.type)
      ? [focused.selectionStart, focused.selectionEnd] : null;
    const open = [...main.querySelectorAll("details[open][id]")].map((each) => each.id);
    const x = scrollX, y = scrollY;
    main.replaceChildren(fresh.content);
    for (const id of open) { const found = document.getElementById(id); if (found) found.open = true; }
    for (const [id, value] of typed) {
      const input = document.getElementById(id);
      if (!input) continue;
      if (input.type === "checkbox") input.checked = value; else input.value = value;
    }
    if (sent && main.querySelector("#told .bad") && document.getElementById(sent)) document.getElementById(sent).value = was;
    const found = place && main.querySelector(place);
    if (found) {
      found.focus({preventScroll: true});
      if (range) found.setSelectionRange(range[0], range[1]);
    }
    scrollTo(x, y);
    afloat();
    filter();
  }

  // What came of a form is shown for a while, also when the view changes meanwhile.
  let told = {number: "", until: 0};

  function address() {
    const query = new URLSearchParams(location.search);
    if (told.until > Date.now()) query.set("told", told.number);
    else if (told.number) query.delete("told");
    return `${main.dataset.part}?${query}`;
  }

  // While credtray was away, another program may have taken its port.
  function ours(answer) { return answer.headers.get("Cross-Origin-Resource-Policy") === "same-origin"; }
  function closed(answer) { return answer.status === 403 || !ours(answer); }

  async function refresh() {
    if (fetching) { again = true; return; }
    fetching = true;
    const before = answered;
    try {
      const answer = await fetch(address(), {cache: "no-store", redirect: "error"});
      if (answer.ok && ours(answer)) {
        const html = await answer.text();
        if (before === answered) swap(html); else again = true;
        back();
      }
      else if (closed(answer)) stranger();
    } catch { gone(); }
    fetching = false;
    if (again) { again = false; refresh(); }
  }

  // --- live ------------------------------------------------------------------------------------------------

  let source = null;
  let timer = 0;
  let asked = 0;  // the timer of a tab that asks instead of listening

  // A browser has six connections to us for all its tabs, and one that listens keeps one. So only those that began
  // last go on listening; the others ask every few seconds, until somebody comes back to them.
  const MOST_LISTEN = 3;
  const tabs = new BroadcastChannel("credtray");
  const me = Math.random();
  const younger = new Set();
  tabs.addEventListener("message", ({data}) => {
    if (data.left) younger.delete(data.tab); else younger.add(data.tab);
    if (younger.size >= MOST_LISTEN && source) rest();
  });

  function rest() {
    source.close();
    source = null;
    clearInterval(asked);
    asked = setInterval(refresh, 5000);
  }

  function returned() { if (!source && !document.hidden) listen(); }

  function listen() {
    clearInterval(asked);
    if (source) source.close();
    younger.clear();
    tabs.postMessage({tab: me});
    source = new EventSource(main.dataset.events);
    source.addEventListener("change", refresh);
    source.onerror = () => {
      source.close();
      gone();
      clearTimeout(timer);
      timer = setTimeout(check, 1500);
    };
  }

  async function check() {
    try {
      const answer = await fetch(address(), {cache: "no-store"});
      if (answer.ok && ours(answer)) { swap(await answer.text()); back(); listen(); return; }
      if (closed(answer)) { stranger(); return; }
    } catch { /* not there yet */ }
    timer = setTimeout(check, 1500);
  }

  function say(text) { if (away.textContent !== text) away.textContent = text; away.hidden = !text; }
  function gone() { say("credtray is not running. This page comes back by itself when it is. If it does not, run: credtray open"); }
  function back() { say(""); }
  function stranger() {
    clearTimeout(timer);
    clearInterval(asked);
    if (source) source.close();
    say("This page has been closed. Open credtray again from its icon, or run: credtray open");
  }

  addEventListener("focus", returned);
  addEventListener("pagehide", () => {
    clearTimeout(timer);
    clearInterval(asked);
    if (source) source.close();
    tabs.postMessage({tab: me, left: true});
  });
  addEventListener("pageshow", (event) => { if (event.persisted) { refresh(); listen(); } });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { refresh(); returned(); } });

  // --- search as you type ----------------------------------------------------------------------------------

  let asking = 0;

  function filter() {
    const box = document.getElementById("q");
    if (!box) return;
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = main.querySelectorAll(".rows > li");
    let shown = 0;
    for (const row of rows) {
      const text = row.dataset.find;
      const fits = words.every((word) => text.includes(word));
      if (row.hidden === fits) row.hidden = !fits;
      if (fits) shown += 1;
    }
    const nothing = document.getElementById("nothing");
    if (nothing) nothing.hidden = shown > 0;
    const found = document.getElementById("found");
    if (found && !words.length && found.dataset.was) found.textContent = found.dataset.was;
    if (found && words.length) found.dataset.was = found.dataset.was || found.textContent;
    if (found && words.length) found.textContent = `${shown} of ${box.dataset.total} ${box.dataset.what || "profiles"}`;
  }

  function searched() {
    filter();
    const box = document.getElementById("q");
    const address = new URL(location);
    if (box.value) address.searchParams.set("q", box.value); else address.searchParams.delete("q");
    address.searchParams.delete("told");
    history.replaceState(null, "", address);
    clearTimeout(asking);
    // Where all there are is here already, nobody has to be asked; else, when the typing stops.
    if (main.querySelectorAll(".rows > li").length >= Number(box.dataset.total)) return;
    asking = setTimeout(refresh, 250);
  }

  document.addEventListener("input", (event) => { if (event.target.id === "q") searched(); });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "get") { event.preventDefault(); if (form.matches(".search")) searched(); return; }
    send(event, form);
  });

  // --- a form that is sent without leaving the page ----------------------------------------------------------

  async function posted(target, fields) {
    const sent = {method: "POST", body: fields, cache: "no-store"};
    const answer = await fetch(target, sent);
    if (answer.status !== 403 || !ours(answer)) return answer;
    // The agent was restarted: its forms have another token than those that are shown.
    const part = await fetch(address(), {cache: "no-store"});
    if (!part.ok || !ours(part)) return answer;
    const fresh = document.createElement("template");
    fresh.innerHTML = await part.text();
    fields.set("token", fresh.content.querySelector("input[name=token]").value);
    return fetch(target, sent);
  }

  async function send(event, form) {
    const button = event.submitter;
    if (form.dataset.whole !== undefined || (button && button.dataset.whole !== undefined)) return;
    event.preventDefault();
    const field = form.querySelector("input[data-setting], select[data-setting]");
    const fields = new URLSearchParams(new FormData(form, button));
    const target = button && button.hasAttribute("formaction") ? button.formAction : form.action;
    if (button) button.setAttribute("aria-busy", "true");
    for (const each of main.querySelectorAll("details.ask[open]")) each.open = false;
    try {
      const answer = await posted(target, fields);
      if (answer.ok && ours(answer)) {
        const html = await answer.text();
        latest = "";
        answered += 1;
        swap(html, field ? field.id : "", field ? field.value : "");
        announce();
      }
      else if (closed(answer)) stranger();
      else location.reload();
    } catch { gone(); clearTimeout(timer); timer = setTimeout(check, 1500); }
    if (button && button.isConnected) button.removeAttribute("aria-busy");
  }

  function afloat() {
    const note = document.querySelector("#told .told");
    if (!note) return;
    const box = note.getBoundingClientRect();
    if (box.top < 0 || box.bottom > innerHeight) note.classList.add("afloat");
  }

  function announce() {
    const note = document.querySelector("#told .told");
    if (!note) return;
    told = {number: note.dataset.number, until: Date.now() + 8000};
    setTimeout(refresh, 8200);
    afloat();
  }

  document.addEventListener("click", (event) => {
    const copied = event.target.closest("[data-copy]");
    if (copied) navigator.clipboard.writeText(copied.dataset.copy).then(() => { copied.textContent = "Copied"; });
    for (const each of main.querySelectorAll(".rows details.ask[open]")) if (!each.contains(event.target)) each.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.activeElement && document.activeElement.closest("details.ask[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
  });

  listen();
})();
