// Enhances pages that work without it. Nothing of a remote is ever put into a page as markup but what our server escaped.
const all = (query, root = document) => [...root.querySelectorAll(query)];
const one = (query, root = document) => root.querySelector(query);
const show = (node, on = true) => { if (node) node.hidden = !on; };

// --- small things
for (const node of all("[data-submitted], [data-scriptless]")) show(node, false);
for (const node of all("[data-submit]")) node.addEventListener("change", () => node.form.requestSubmit());
one("[data-summary]")?.focus();
for (const toast of all("[data-toast]")) {
  const close = one("[data-dismiss]", toast);
  show(close);
  close.addEventListener("click", () => toast.remove());
}
if (one("[data-toast]")) {
  const clean = new URL(location.href);
  for (const name of ["said", "process", "n"]) clean.searchParams.delete(name);
  history.replaceState(null, "", clean);
}

// --- menus: one open at a time, Escape closes and gives the focus back
const menus = all("details.menu");
for (const menu of menus) {
  menu.addEventListener("toggle", () => { if (menu.open) for (const other of menus) if (other !== menu) other.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) { menu.open = false; one("summary", menu).focus(); event.stopPropagation(); }
  });
}
document.addEventListener("click", (event) => {
  for (const menu of menus) if (menu.open && !menu.contains(event.target)) menu.open = false;
});

// --- the second value of a filter
const operator = one("[data-operator]");
if (operator) {
  const second = () => show(one("[data-second]"), operator.value === "between");
  operator.addEventListener("change", second);
  second();
}

// --- columns by dragging, besides the buttons
const order = one("[data-order] ul");
if (order) {
  let held = null;
  order.addEventListener("dragstart", (event) => { held = event.target.closest("li"); });
  order.addEventListener("dragover", (event) => {
    const over = event.target.closest("li");
    if (!held || !over || over === held) return;
    event.preventDefault();
    over.before(held);
  });
  order.addEventListener("drop", (event) => event.preventDefault());
}

// --- the list: selection, toolbar, rows
const list = one("[data-selection]");
if (list) {
  const bar = one("[data-toolbar]", list), count = one("[data-count]", list), head = one("[data-all]", list);
  const boxes = all("tbody input[name=id]", list);
  const look = () => {
    const chosen = boxes.filter((box) => box.checked).map((box) => box.closest("tr"));
    const whole = head.checked, many = whole ? Number(list.dataset.total) : chosen.length;
    for (const box of boxes) box.closest("tr").classList.toggle("on", box.checked);
    show(bar, many > 0);
    count.textContent = many === 1 ? count.dataset.one : many ? count.dataset.many.replace("{n}", many) : "";
    for (const button of all("[data-single]", bar)) show(button, many === 1);
    const further = whole && list.dataset.more;
    for (const button of all("[data-for]", bar))
      show(button, Boolean(further) || chosen.some((row) => row.dataset.status === button.dataset.for));
    head.indeterminate = !whole && chosen.length > 0;
  };
  head.addEventListener("change", () => { for (const box of boxes) box.checked = head.checked; look(); });
  for (const box of boxes) box.addEventListener("change", () => { head.checked = false; look(); });
  one("tbody", list).addEventListener("click", (event) => {
    if (event.target.closest("a, button, label, input") || getSelection().toString()) return;
    const row = event.target.closest("tr[data-href]");
    if (row) location.assign(row.dataset.href);
  });
  addEventListener("pageshow", look);
  look();
}

// --- forms
for (const box of all("[data-name]")) {
  const input = one("input", box), apply = one("[data-apply]", box), edit = one("[data-edit]", box);
  const state = (open) => { input.readOnly = !open; show(apply, open); show(edit, !open); };
  state(!input.value || input.getAttribute("aria-invalid") === "true");
  apply.addEventListener("click", () => { if (input.value.trim()) { state(false); edit.focus(); } else input.focus(); });
  edit.addEventListener("click", () => { state(true); input.focus(); input.select(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !input.readOnly) { event.preventDefault(); apply.click(); }
  });
}
for (const form of all("form[data-busy]")) form.addEventListener("submit", (event) => {
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
  const text = one("[data-busy-text]", form);
  if (text && event.submitter?.matches("[data-save]")) text.textContent = text.dataset.busyText;
});
addEventListener("pageshow", () => { for (const form of all("form[data-busy]")) { delete form.dataset.sent; form.removeAttribute("aria-busy"); for (const text of all("[data-busy-text]", form)) text.textContent = ""; } });

const driver = one("[data-driver]");
driver?.addEventListener("change", async () => {
  const at = new URL(driver.dataset.driver, location.href);
  at.searchParams.set("driver", driver.value);
  const wanted = driver.value;
  const answer = await fetch(at, { headers: { "x-part": "credentials" } });
  const text = await answer.text();
  if (driver.value !== wanted) return;
  const made = new DOMParser().parseFromString(text, "text/html");
  const part = one("[data-credentials]", made);
  if (!part) { location.assign(at); return; }
  one("[data-credentials]").replaceWith(part);
  dress(part);
});

const inherits = one("[data-inherits]");
if (inherits) {
  const fields = one("[data-inherited]");
  const lock = () => { fields.disabled = inherits.checked; fields.toggleAttribute("data-locked", inherits.checked); };
  inherits.addEventListener("change", lock);
  lock();
}

function dress(root) {
  for (const button of all("[data-pick]", root)) {
    const typed = document.getElementById(button.dataset.pick), native = document.createElement("input");
    native.type = "date"; native.className = "native"; native.tabIndex = -1; native.setAttribute("aria-hidden", "true");
    button.after(native);
    show(button);
    button.addEventListener("click", () => {
      const found = typed.value.match(/^(\d{1,2})\.(\d{1,2})\.(\d{4})$/);
      if (found) native.value = `${found[3]}-${found[2].padStart(2, "0")}-${found[1].padStart(2, "0")}`;
      native.showPicker();
    });
    native.addEventListener("change", () => {
      if (native.value) typed.value = native.value.split("-").reverse().join(".");
      typed.focus();
    });
  }
  for (const field of all("[data-when]", root)) {
    const other = document.getElementsByName(field.dataset.when)[0];
    if (!other) continue;
    const look = () => show(field, other.type === "checkbox" ? other.checked : Boolean(other.value));
    other.addEventListener("change", look);
    look();
  }
  for (const choice of all("[data-variants]", root)) {
    const select = one("select", choice);
    const look = () => { for (const part of all("[data-variant]", choice)) show(part, part.dataset.variant === select.value); };
    select.addEventListener("change", look);
    look();
  }
  for (const rows of all("[data-rows]", root)) {
    const more = one("[data-more]", rows);
    if (!more) continue;
    const blank = all("[data-row]", rows).at(-1);
    const ready = (row) => {
      const remove = one("[data-remove]", row);
      show(remove);
      remove.addEventListener("click", () => { row.remove(); more.focus(); });
    };
    for (const row of all("[data-row]", rows)) ready(row);
    show(more);
    let next = all("[data-row]", rows).length;
    const copy = blank.cloneNode(true);
    more.addEventListener("click", () => {
      const row = copy.cloneNode(true), was = `.${blankNumber(copy)}.`, now = `.${next}.`;
      for (const node of all("[name]", row)) node.name = node.name.replace(was, now);
      for (const node of all("[id]", row)) node.id = `${node.id}-${next}`;
      for (const node of all("[for]", row)) node.htmlFor = `${node.htmlFor}-${next}`;
      next += 1;
      more.before(row);
      ready(row);
      one("input, select", row)?.focus();
    });
  }
}
const blankNumber = (row) => one("[name]", row)?.name.match(/\.(\d+)\.[^.]*$/)?.[1] ?? "0";
dress(document);

// --- processes: one stream while somebody looks; asking again and again where the host cannot hold one
const drawer = one("[data-drawer]"), page = one("[data-live=yes]");
if (drawer) {
  const body = one("[data-list] tbody", drawer), none = one("[data-none]", drawer), badge = one("[data-open]", drawer);
  const tell = () => {
    show(none, !body.children.length);
    const open = all("tr", body).filter((row) => ["queued", "running", "waiting"].includes(row.dataset.state)).length;
    badge.textContent = open;
    show(badge, open > 0);
  };
  const row = (html) => { const made = document.createElement("template"); made.innerHTML = `<table><tbody>${html}</tbody></table>`; return made.content.querySelector("tr"); };
  const put = (html, into, prefix) => {
    const made = row(html);
    if (!made) return;
    made.id = prefix + made.dataset.process;
    const old = all("tr", into).find((node) => node.dataset.process === made.dataset.process);
    if (old) { if (!old.contains(document.activeElement) || old.dataset.state !== made.dataset.state) old.replaceWith(made); }
    else {
      const after = all("tr", into).find((node) => Number(node.dataset.process) < Number(made.dataset.process));
      into.insertBefore(made, after ?? null);
    }
  };
  const take = (found) => {
    for (const item of found) { put(item.html, body, "drawer-"); if (page) put(item.html, one("tbody", page), "process-"); }
    const spare = all("tr", body).filter((row) => !["running", "waiting"].includes(row.dataset.state));
    while (body.children.length > 12 && spare.length) spare.pop().remove();
    tell();
  };
  let stream = null, timer = 0;
  const ask = async () => {
    const answer = await fetch(drawer.dataset.rows, { headers: { "x-part": "rows" } });
    if (answer.ok) {
      const made = document.createElement("template");
      made.innerHTML = `<table><tbody>${await answer.text()}</tbody></table>`;
      const rows = all("tr", made.content), there = new Set(rows.map((node) => node.dataset.process));
      for (const old of all("tr", body)) if (!there.has(old.dataset.process)) old.remove();
      take(rows.map((node) => ({ html: node.outerHTML })));
    }
  };
  const looking = () => !document.hidden && (drawer.open || page);
  const follow = () => {
    if (looking() && drawer.dataset.events && !stream) {
      stream = new EventSource(drawer.dataset.events);
      for (const kind of ["snapshot", "change"]) stream.addEventListener(kind, (event) => take(JSON.parse(event.data)));
    } else if (looking() && !drawer.dataset.events && !timer) { ask(); timer = setInterval(ask, 2000); }
    if (!looking()) { stream?.close(); stream = null; clearInterval(timer); timer = 0; }
  };
  drawer.addEventListener("toggle", follow);
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", () => { stream?.close(); stream = null; });
  addEventListener("pageshow", follow);
  follow();
}
