// The menu on pages and links. Listeners are set at once, for the browser ends this script whenever nothing happens and starts it for
// the next event.

import { open, say } from './open.js';
import { page } from './places.js';
import { patterns, recognise } from './recognise.js';
import { withTicked } from './rows.js';
import { settings } from './settings.js';

/** The entries: what they want, and of what. */
const ENTRIES = [
  { id: 'send-page', want: 'send', on: 'page' },
  { id: 'launch-page', want: 'launch', on: 'page' },
  { id: 'send-link', want: 'send', on: 'link' },
  { id: 'launch-link', want: 'launch', on: 'link' },
];

/** One change of the menu at a time: two would find the entries of each other. */
let changing = Promise.resolve();

async function fillMenu() {
  const { services } = await settings();
  const urls = patterns(services);
  await chrome.contextMenus.removeAll();
  for (const { id, want, on } of ENTRIES) {
    const where = on === 'link' ? { targetUrlPatterns: urls } : { documentUrlPatterns: urls };
    chrome.contextMenus.create({ id, title: chrome.i18n.getMessage(`menu_${want}`), contexts: [on], ...where });
  }
}

const refill = () => {
  changing = changing.then(fillMenu, fillMenu);
  return changing;
};

chrome.runtime.onInstalled.addListener(refill);
chrome.runtime.onStartup.addListener(refill);
chrome.storage.onChanged.addListener((_changes, area) => (area === 'managed' ? refill() : undefined));

chrome.contextMenus.onClicked.addListener(async (info, tab) => {
  const entry = ENTRIES.find((it) => it.id === info.menuItemId);
  if (!entry) return;
  const { baseUrl, services, view } = await settings();
  const onPage = entry.on === 'page';
  let found = recognise(onPage ? info.pageUrl : info.linkUrl, services);
  if (onPage && entry.want === 'send') ({ found } = await withTicked(found, tab?.id));
  const next = page(entry.want, baseUrl, found);
  await (next.open ? open(next.open, view) : say(next.why));
});
