// SPDX-License-Identifier: GPL-2.0-only
// What the pages do by themselves: the menu, links to headings, copying commands, and what the machine says of itself.
"use strict";

const menu = document.querySelector(".menu"), pages = document.querySelector("#pages");
// Of a list that is longer than the window, the part with this page.
const here = pages.querySelector("[aria-current]");
if (here && here.offsetTop > pages.clientHeight) pages.scrollTop = here.offsetTop - pages.clientHeight / 2;
menu.addEventListener("click", () => menu.setAttribute("aria-expanded", String(pages.classList.toggle("open"))));

for (const heading of document.querySelectorAll("main h2[id], main h3[id]")) {
  if (heading.closest(".front")) continue;
  const anchor = document.createElement("a");
  anchor.className = "anchor";
  anchor.href = "#" + heading.id;
  anchor.textContent = "#";
  anchor.setAttribute("aria-label", "Link to this heading");
  heading.append(anchor);
}

// Browsers give the clipboard to pages of this machine and over TLS only.
if (navigator.clipboard) {
  for (const block of document.querySelectorAll(".code")) {
    const button = document.createElement("button");
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      // Of a transcript, what was typed.
      const typed = [...block.querySelectorAll(".typed")].map((line) => line.textContent);
      await navigator.clipboard.writeText(typed.length ? typed.join("\n") : block.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    block.append(button);
  }
}

const mebibytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;
const duration = (seconds) => {
  const whole = Math.floor(seconds), two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
};
const hypervisors = { TCGTCGTCGTCG: "translated by QEMU", KVMKVMKVM: "on KVM" };
const shown = {
  memory: mebibytes,
  memory_free: mebibytes,
  uptime: duration,
  first_line: (seconds) => seconds.toFixed(2),
  call_nanoseconds: (time) => time.toFixed(time < 100 ? 1 : 0),
  hypervisor: (name) => hypervisors[name] || name,
};

// A page that is looked at without the machine just does not have these parts.
async function live() {
  let answer;
  try {
    const response = await fetch("/live.json");
    if (!response.ok) return;
    answer = await response.json();
  } catch {
    return;
  }
  answer.call_meaning = /^(e9|eb)/.test(answer.call_code) ?
    "a jump to the gate, and behind it the instruction syscall (0f 05), which is not reached any more." :
    "the number, and the instruction syscall (0f 05).";
  for (const place of document.querySelectorAll("[data-live]")) {
    const name = place.dataset.live, value = answer[name];
    if (value !== undefined && value !== null) place.textContent = shown[name] ? shown[name](value) : value;
  }
  for (const part of document.querySelectorAll("[data-if-live]")) part.hidden = false;
}

if (location.protocol !== "file:" && document.querySelector("[data-live]")) {
  live();
  // The front page's figures move; the bar of the others stays as it is.
  if (document.querySelector(".live")) setInterval(() => { if (!document.hidden) live(); }, 2000);
}
