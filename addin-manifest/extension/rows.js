// Rows that a person ticked in a list of HighQ: no address names them, so the page is looked at, and only there and then.

import { MOST_IDS } from './recognise.js';

/** Runs in the page. */
function ticked() {
  const ids = [];
  for (const link of document.querySelectorAll('[id^="docid_"]')) {
    const box = link.closest('tr, li, [role="row"]')?.querySelector('input[type="checkbox"], [role="checkbox"]');
    if (box && (box.checked === true || box.getAttribute('aria-checked') === 'true')) ids.push(link.id.slice(6));
  }
  return ids;
}

/** The ids of ticked documents in a tab, or null where the browser does not let it be looked at. */
export async function tickedIn(tabId) {
  let frames;
  try {
    frames = await chrome.scripting.executeScript({ target: { tabId }, func: ticked });
  } catch {
    return null;
  }
  // What a page says of itself is no more than text: digits are taken, and nothing else.
  const ids = frames.flatMap((it) => (Array.isArray(it.result) ? it.result : [])).filter((it) => /^[0-9]{1,18}$/.test(it));
  return [...new Set(ids)].slice(0, MOST_IDS);
}

/** What an address names, with the ticked rows in place of the one document. `seen` is false where the page could not be looked at. */
export async function withTicked(found, tabId) {
  if (found?.kind !== 'highq' || tabId === undefined) return { found, seen: true };
  const ids = await tickedIn(tabId);
  if (ids === null) return { found, seen: false };
  return { found: ids.length > 0 ? { ...found, documents: ids } : found, seen: true };
}
