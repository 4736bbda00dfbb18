// What the button shows: what the page names, and what can be done with it.

import { open } from './open.js';
import { launch, sendTo } from './places.js';
import { recognise } from './recognise.js';
import { withTicked } from './rows.js';
import { settings } from './settings.js';
import { translate, word } from './words.js';

const at = (id) => document.getElementById(id);

function action(text, act, main) {
  const button = document.createElement('button');
  button.textContent = text;
  button.className = main ? 'main' : '';
  button.addEventListener('click', act);
  at('actions').append(button);
  if (main) button.focus();
}

const opens = (url, view) => async () => {
  await open(url, view);
  window.close();
};

/** Asks for the one host; the browser shows it to the person. Nothing may be waited for before, or the browser takes it for no click. */
const asksFor = (host) => () =>
  chrome.permissions.request({ origins: [`https://${host}/*`] }).then((given) => (given ? show() : undefined));

async function show() {
  at('actions').replaceChildren();
  const { baseUrl, services, view } = await settings();
  if (!baseUrl) {
    at('what').textContent = word('why_unset');
    action(word('open_options'), () => chrome.runtime.openOptionsPage(), true);
    return;
  }
  const [tab] = await chrome.tabs.query({ active: true, currentWindow: true });
  at('title').textContent = (tab?.title ?? '').slice(0, 200);
  const { found, seen } = await withTicked(recognise(tab?.url ?? '', services), tab?.id);
  const documents = found?.documents ?? [];
  const folders = found?.folders ?? [];
  if (documents.length === 0 && folders.length === 0 && seen) {
    at('what').textContent = word('why_unknown');
    return;
  }
  at('what').textContent = word('found_in', found.service);
  if (documents.length > 0) {
    const text = documents.length === 1 ? word('menu_send') : word('send_several', documents.length);
    action(text, opens(sendTo(baseUrl, found.service, documents), view), true);
  }
  if (folders.length > 0) {
    action(word('menu_launch'), opens(launch(baseUrl, found.service, folders[0]), view), documents.length === 0);
  }
  if (!seen) action(word('allow_rows', new URL(tab.url).hostname), asksFor(new URL(tab.url).hostname), false);
}

translate();
await show();
